// Pages on paper.
import { emulate } from '../support/accessibility.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';

test('page is printed dark on light without controls, also in dark mode', async ({
  page,
  user,
}) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await emulate(page, { media: 'print', colorScheme: 'dark' }, 'print');
  for (const theme of ['', 'gatehouse-dark']) {
    await page.evaluate((theme) => {
      if (theme) document.documentElement.dataset.theme = theme;
    }, theme);
    const [paper = 0, ink = 1] = await page.evaluate(() => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      const lightness = (color: string) => {
        if (!canvas) return NaN;
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
        return (red + green + blue) / 765;
      };
      const card = document.querySelector('.card');
      if (!card) return [];
      const { backgroundColor, color } = getComputedStyle(card);
      return [lightness(backgroundColor), lightness(color)];
    });
    expect(paper, theme).toBe(1);
    expect(ink, theme).toBeLessThan(0.3);
  }
  await expect(gatehouse.header).toBeHidden();
  await expect(page.getByRole('button')).toHaveCount(0);
  await expect(gatehouse.main.getByText(user.username).first()).toBeVisible();
});
