import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

/** What axe has found in a state; the summary of a run is made of these. */
export interface AxeResult {
  state: string;
  lang: string;
  look: 'light' | 'dark' | 'forced';
  rules: number;
  violations: number;
}

/** The type of the annotations that carry looks to the summary. */
export const AXE_RESULT = 'axe';

/** Expects that axe finds nothing wrong with the page as it is, and keeps what it has found for the summary. */
export async function expectAccessible(
  page: Page,
  where: Pick<AxeResult, 'state' | 'lang' | 'look'>,
): Promise<void> {
  // The rules of WCAG 2.2 that axe has are off unless asked for. Forced colours are the system's own, whatever the style says.
  const options = {
    rules: {
      'target-size': { enabled: true },
      'color-contrast': { enabled: where.look !== 'forced' },
    },
  };
  const { passes, violations } = await new AxeBuilder({ page }).options(options).analyze();
  const look: AxeResult = {
    ...where,
    rules: passes.length + violations.length,
    violations: violations.length,
  };
  test.info().annotations.push({ type: AXE_RESULT, description: JSON.stringify(look) });
  const found = violations.map(({ id, nodes }) => ({
    id,
    at: nodes.map((node) => node.target.join(' ')),
  }));
  expect(found, `${where.state}, ${where.look}`).toEqual([]);
}

/** Shows the page in these colours, and waits until it does: axe must not look at one half in the old ones. */
export async function show(page: Page, look: AxeResult['look']): Promise<void> {
  const colorScheme = look === 'dark' ? 'dark' : 'light';
  await page.emulateMedia({ colorScheme, forcedColors: look === 'forced' ? 'active' : 'none' });
  await page.evaluate(async () => {
    // A change of media is seen by the next frame, and what is drawn is that of the one before.
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    const transitions = document
      .getAnimations()
      .filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(transitions.map((transition) => transition.finished));
  });
}

/** Expects that nothing is wider than the window: neither the page, nor what is on it. */
export async function expectFits(page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(() => {
    const window = document.documentElement.clientWidth;
    const seen = [...document.body.querySelectorAll<HTMLElement>('*')].filter((element) =>
      element.checkVisibility(),
    );
    const outside = seen.filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      // What only screen readers read has no place.
      const isHidden = element.closest('.sr-only, .skip-link') !== null || width === 0;
      return !isHidden && (right > window + 0.5 || left < -0.5);
    });
    const scrolls = document.documentElement.scrollWidth > window ? ['the page'] : [];
    return [
      ...scrolls,
      ...outside.map((element) => `${element.tagName.toLowerCase()}.${element.className}`),
    ];
  });
  expect(wide, `wider than the window: ${what}`).toEqual([]);
}
