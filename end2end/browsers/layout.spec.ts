// Layout: no horizontal overflow, and menus are as high as their entries.
import type { DrivenBrowser } from '../support/webdriver.ts';
import { administrator, ENGINES, expect, repeatedAfterCrash, test } from './fixtures.ts';

const PUBLIC = ['/', '/login', '/register', '/nowhere'];
const SIGNED_IN = [
  '/',
  '/profile',
  '/files',
  '/settings',
  '/settings/profile',
  '/settings/security',
  '/settings/devices',
  '/settings/data',
  '/admin/users',
];
/** The narrowest window that both browsers allow, in CSS pixels. */
const NARROW = 500;
const WIDTHS = [NARROW, 768, 1280];
/** Upper bound of a menu's height, in CSS pixels. */
const MENU_HEIGHT_MAX = 450;

async function overflow(browser: DrivenBrowser): Promise<number> {
  return browser.run(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
}

/** Opens a menu by its button and returns its size. */
async function menu(
  browser: DrivenBrowser,
  button: string,
  popover: string,
): Promise<{ width: number; height: number }> {
  await browser.click(button);
  await browser.eventually(
    `${popover} is open`,
    (popover) => document.querySelector(popover)?.matches(':popover-open') ?? false,
    popover,
  );
  const box = await browser.run(
    (popover) => document.querySelector(popover)?.getBoundingClientRect().toJSON() as DOMRect,
    popover,
  );
  await browser.run((popover) => {
    document.querySelector<HTMLElement>(popover)?.hidePopover();
  }, popover);
  return box;
}

for (const engine of ENGINES) {
  test.describe(engine, () => {
    test(
      'pages do not scroll sideways at any width',
      repeatedAfterCrash(async ({ visit, server, api }) => {
        const { session } = await administrator(server, api);
        const visitor = await visit(engine);
        const wide: Record<string, number> = {};
        const measure = async (paths: string[], who: string): Promise<void> => {
          for (const path of paths) {
            await visitor.openLoaded(path);
            for (const width of WIDTHS) {
              await visitor.browser.resize(width, 800);
              wide[`${path} of ${who} at ${String(width)}`] = await overflow(visitor.browser);
            }
          }
        };
        await measure(PUBLIC, 'a guest');
        await visitor.signIn(session);
        await measure(SIGNED_IN, 'an administrator');
        expect(Object.keys(wide)).toHaveLength((PUBLIC.length + SIGNED_IN.length) * WIDTHS.length);
        expect(Object.entries(wide).filter(([, pixels]) => pixels > 0)).toEqual([]);
      }),
    );

    test(
      'menus are as high as their entries',
      repeatedAfterCrash(async ({ visit, server, api }) => {
        const { session } = await administrator(server, api);
        const visitor = await visit(engine);
        const { browser } = visitor;
        await visitor.signIn(session);
        for (const path of ['/profile', '/admin/users']) {
          await visitor.openLoaded(path);
          const { height, width } = await menu(browser, '.account-button', '#menu');
          expect(height).toBeGreaterThan(80);
          expect(height).toBeLessThan(MENU_HEIGHT_MAX);
          expect(width).toBeLessThan(400);
        }
        const row = await menu(browser, '.users-manage', '.users-menu .account-menu');
        expect(row.height).toBeGreaterThan(80);
        expect(row.height).toBeLessThan(MENU_HEIGHT_MAX);

        await browser.resize(NARROW, 800);
        await visitor.openLoaded('/profile');
        const phone = await menu(browser, '.account-button', '#menu');
        expect(phone.height).toBeGreaterThan(80);
        expect(phone.height).toBeLessThan(MENU_HEIGHT_MAX);
        // Firefox' scroll bar takes up width.
        expect(phone.width).toBe(await browser.run(() => document.documentElement.clientWidth));
      }),
    );

    test('phone menu closes when the window becomes wide', repeatedAfterCrash(async ({ visit }) => {
      const visitor = await visit(engine);
      const { browser } = visitor;
      await browser.resize(NARROW, 800);
      await visitor.open('/');
      await browser.click('.account-button');
      const isOpen = () => document.querySelector('#menu')?.matches(':popover-open') ?? false;
      await browser.eventually('the menu is open', isOpen);
      await browser.resize(1280, 800);
      await browser.eventually(
        'the menu is closed',
        () => document.querySelector('#menu:popover-open') === null,
      );
      // The links are in the bar again, from left to right.
      const tops = await browser.run(() =>
        [...document.querySelectorAll('#menu a')]
          .filter((link) => link.checkVisibility())
          .map((link) => link.getBoundingClientRect().top),
      );
      expect(tops.length).toBeGreaterThan(1);
      expect(new Set(tops).size).toBe(1);
    }));
  });
}
