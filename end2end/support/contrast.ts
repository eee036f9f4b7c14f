// The contrast of text on backgrounds of more than one color, which axe leaves undecided.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** Contrast of a text with the worst pixel behind it. */
export interface TextContrast {
  text: string;
  ratio: number;
  /** Smallest ratio of its size (WCAG 2.2, 1.4.3). */
  needed: number;
}

interface Text {
  text: string;
  needed: number;
  color: number[];
  boxes: { x: number; y: number; width: number; height: number }[];
}

/** Reads texts, their colors and their boxes on the page. */
function readTexts(selectors: string[]): Text[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (canvas === null) throw new Error('no canvas');
  return selectors.map((selector) => {
    const element = document.querySelector(selector);
    if (element === null) throw new Error(`no element ${selector}`);
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    // Large text: of 18 points, or of 14 points and bold.
    const size = parseFloat(fontSize) * (72 / 96);
    const isLarge = size >= 18 || (size >= 14 && Number(fontWeight) >= 700);
    const range = document.createRange();
    range.selectNodeContents(element);
    return {
      text: element.textContent.trim(),
      needed: isLarge ? 3 : 4.5,
      color: [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)],
      boxes: [...range.getClientRects()].map(({ x, y, width, height }) => ({
        ...{ x: x + scrollX, y: y + scrollY, width, height },
      })),
    };
  });
}

/** Compares texts with the pixels of a screenshot behind them, on an empty page. */
async function compare({ png, texts }: { png: string; texts: Text[] }): Promise<TextContrast[]> {
  const luminance = (color: number[]) =>
    color
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, place) => sum + part * ([0.2126, 0.7152, 0.0722][place] ?? 0), 0);
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d', {
    willReadFrequently: true,
  });
  if (canvas === null) throw new Error('no canvas');
  canvas.drawImage(image, 0, 0);
  return texts.map(({ text, needed, color, boxes }) => {
    const own = luminance(color);
    let ratio = Infinity;
    for (const { x, y, width, height } of boxes) {
      if (width < 1 || height < 1) continue;
      const { data } = canvas.getImageData(x, y, width, height);
      for (let at = 0; at < data.length; at += 4) {
        const behind = luminance([...data.slice(at, at + 3)]);
        const [dark, light] = own < behind ? [own, behind] : [behind, own];
        ratio = Math.min(ratio, (light + 0.05) / (dark + 0.05));
      }
    }
    return { text, needed, ratio };
  });
}

/** Measures the texts of which axe cannot tell the contrast. */
export async function undecidedContrasts(page: Page): Promise<TextContrast[]> {
  const { incomplete } = await new AxeBuilder({ page }).withRules('color-contrast').analyze();
  const selectors = incomplete.flatMap(({ nodes }) => nodes.map(({ target }) => target.join(' ')));
  const texts = await page.evaluate(readTexts, selectors);
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { color: transparent !important; transition: none !important }');
    document.adoptedStyleSheets.push(sheet);
  });
  const png = (await page.screenshot({ fullPage: true })).toString('base64');
  await page.evaluate(() => document.adoptedStyleSheets.pop());
  const empty = await page.context().newPage();
  const contrasts = await empty.evaluate(compare, { png, texts });
  await empty.close();
  return contrasts;
}
