import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

/** Result of axe for a state, collected for the summary of a run. */
export interface AxeResult {
  state: string;
  lang: string;
  look: 'light' | 'dark' | 'forced';
  rules: number;
  violations: number;
}

/** Type of the annotations that carry results to the summary. */
export const AXE_RESULT = 'axe';

/** Expects no axe violations on the current page and records the result for the summary. */
export async function expectAccessible(
  page: Page,
  where: Pick<AxeResult, 'state' | 'lang' | 'look'>,
): Promise<void> {
  // axe's rules of WCAG 2.2 are off by default. Forced colors are the system's, so their contrast
  // is not checked.
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

/** Changes media features and waits until a media query matches: they apply to a later frame. */
export async function emulate(
  page: Page,
  features: NonNullable<Parameters<Page['emulateMedia']>[0]>,
  query: string,
): Promise<void> {
  await page.emulateMedia(features);
  await page.evaluate(async (query) => {
    while (!matchMedia(query).matches) await new Promise(requestAnimationFrame);
  }, query);
}

/**
 * Switches the color scheme and waits for its transitions, so that axe does not see mixed colors.
 */
export async function show(page: Page, look: AxeResult['look']): Promise<void> {
  const colorScheme = look === 'dark' ? 'dark' : 'light';
  const [forcedColors, query] =
    look === 'forced'
      ? (['active', '(forced-colors: active)'] as const)
      : (['none', `(prefers-color-scheme: ${look}) and (forced-colors: none)`] as const);
  await emulate(page, { colorScheme, forcedColors }, query);
  await page.evaluate(async () => {
    // The transitions of a media change begin one frame after it.
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (let calm = 0; calm < 3; ) {
      await frame();
      const transitions = document
        .getAnimations()
        .filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(transitions.map((transition) => transition.finished));
      calm = transitions.length > 0 ? 0 : calm + 1;
    }
  });
}

/** Expects that neither the page nor an element on it is wider than the viewport. */
export async function expectFits(page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(() => {
    const window = document.documentElement.clientWidth;
    const seen = [...document.body.querySelectorAll<HTMLElement>('*')].filter((element) =>
      element.checkVisibility(),
    );
    const outside = seen.filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      // Visually hidden elements are ignored.
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
