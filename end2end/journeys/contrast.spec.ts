// Text on gradients: axe leaves its contrast undecided, so it is measured on a screenshot.
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { show } from '../support/accessibility.ts';
import { undecidedContrasts } from '../support/contrast.ts';
import { newUser } from '../support/users.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const GUEST_PAGES = ['/', '/login', '/register', '/forgot', '/nothing'];
const MEMBER_PAGES = ['/', '/profile', '/files', '/settings/devices'];

for (const look of ['light', 'dark'] as const) {
  test(`text on gradients is legible, ${look}`, async ({ page, api, browserErrors }) => {
    browserErrors.expect(/status of 404 .*\/nothing/);
    const gatehouse = new Gatehouse(page);
    let measured = 0;
    const expectLegible = async (path: string) => {
      await gatehouse.open(path);
      // Data that arrives later would move the texts.
      await gatehouse.expectIdle();
      await expect(page.locator('[aria-busy="true"]:visible')).toHaveCount(0);
      await show(page, look);
      const contrasts = await undecidedContrasts(page);
      const weak = contrasts.filter(({ ratio, needed }) => ratio < needed);
      expect(weak, `${path}, ${look}`).toEqual([]);
      measured += contrasts.filter(({ ratio }) => Number.isFinite(ratio)).length;
    };
    for (const path of GUEST_PAGES) await expectLegible(path);
    const user = newUser();
    await api.register(user);
    await gatehouse.logIn(user);
    for (const path of MEMBER_PAGES) await expectLegible(path);
    // The header has a gradient behind it on each page.
    expect(measured).toBeGreaterThan(GUEST_PAGES.length + MEMBER_PAGES.length);
  });
}
