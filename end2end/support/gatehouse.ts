import { expect, type Locator, type Page, type Response } from '@playwright/test';

import type { User } from './users.ts';
import { EN, type Strings } from './words.ts';

/** Page object of Gatehouse in one tab and one language. */
export class Gatehouse {
  readonly main: Locator;
  readonly header: Locator;
  /** The logo, which leads to the home page. */
  readonly home: Locator;
  readonly nav: Locator;
  readonly menuButton: Locator;
  /** The account menu. */
  readonly menu: Locator;
  readonly footer: Locator;
  readonly account: Locator;
  readonly password: Locator;
  readonly confirm: Locator;
  readonly remember: Locator;
  readonly loginButton: Locator;
  readonly registerButton: Locator;
  /** The button in the account menu: the profile may have another one. */
  readonly logoutButton: Locator;
  readonly languageSwitch: Locator;
  readonly colours: Locator;

  constructor(
    readonly page: Page,
    readonly words: Strings = EN,
  ) {
    this.main = page.getByRole('main');
    this.header = page.getByRole('banner');
    this.home = this.header.locator('a[href="/"]');
    this.nav = this.header.getByRole('navigation');
    this.menuButton = this.nav.locator('[popovertarget="menu"]');
    this.menu = this.nav.locator('#menu');
    this.footer = page.getByRole('contentinfo');
    this.account = page.getByLabel(words.username, { exact: true });
    this.password = page.getByLabel(words.password, { exact: true });
    this.confirm = page.getByLabel(words.passwordAgain, { exact: true });
    this.remember = page.getByRole('checkbox', { name: words.remember });
    this.loginButton = this.main.getByRole('button', { name: words.logIn, exact: true });
    this.registerButton = this.main.getByRole('button', { name: words.register, exact: true });
    this.logoutButton = this.header.getByRole('button', { name: words.logOut });
    this.languageSwitch = this.footer.getByRole('button', { name: words.language });
    this.colours = this.footer.getByRole('combobox', { name: words.theme });
  }

  /** Opens a path and waits for hydration. */
  async open(path: string): Promise<Response | null> {
    const response = await this.page.goto(path);
    await this.waitForHydration();
    return response;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.waitForHydration();
  }

  /** Waits until the page is hydrated. */
  async waitForHydration(): Promise<void> {
    await this.page.locator('html[data-hydrated]').waitFor({ state: 'attached', timeout: 10_000 });
  }

  async fillLogin(user: User): Promise<void> {
    await this.account.fill(user.username);
    await this.password.fill(user.password);
  }

  async fillRegistration(user: User): Promise<void> {
    await this.account.fill(user.username);
    await this.password.fill(user.password);
    await this.confirm.fill(user.password);
  }

  /** Logs in with the form and waits for the profile. */
  async logIn(user: User, { remember = true } = {}): Promise<void> {
    await this.open('/login');
    await this.fillLogin(user);
    await this.remember.setChecked(remember);
    await this.loginButton.click();
    await this.expectProfile(user);
  }

  async expectProfile(user: User): Promise<void> {
    await this.expectPath('/profile');
    await this.expectWelcome(user);
  }

  /**
   * Expects the greeting, which is local, and the data, which the server sends, and waits for the
   * last response: what a test does next may make a pending request fail.
   */
  async expectWelcome(user: User): Promise<void> {
    await expect(this.main.getByText(this.words.welcome(user.username))).toBeVisible();
    await expect(this.main.getByText(/^access\b/)).toBeVisible();
    await this.expectIdle();
  }

  /** Expects that neither a request nor the lazy chunk is pending. Uploads do not count. */
  async expectIdle(): Promise<void> {
    await expect(this.page.locator('.progress-line')).not.toHaveAttribute('data-busy');
  }

  /** Expects a path and query of this server. */
  async expectPath(pathAndQuery: string): Promise<void> {
    await expect.poll(() => this.page.url()).toBe(new URL(pathAndQuery, this.origin()).href);
  }

  /** Opens the account menu, unless it is open. */
  async openMenu(): Promise<void> {
    if (!(await this.menu.evaluate((element) => element.matches(':popover-open'))))
      await this.menuButton.click();
  }

  /** Logs out with the menu, once no request is pending: it would be rejected. */
  async logOut(): Promise<void> {
    await this.expectIdle();
    await this.openMenu();
    await this.logoutButton.click();
  }

  /** The button of the account menu. */
  accountMenu(name: string): Locator {
    return this.header.getByRole('button', {
      name: `${this.words.accountMenu}: ${name}`,
      exact: true,
    });
  }

  alert(text: string): Locator {
    return this.page.getByRole('alert').filter({ hasText: text });
  }

  status(text: string): Locator {
    return this.page.getByRole('status').filter({ hasText: text });
  }

  /** Returns the local storage. */
  async storage(): Promise<{ local: Record<string, string>; tab: Record<string, string> }> {
    return this.page.evaluate(() => ({
      local: Object.fromEntries(Object.entries(localStorage)),
      tab: Object.fromEntries(Object.entries(sessionStorage)),
    }));
  }

  /** Returns the token pair in local storage. */
  async tokens(): Promise<{ access: string; refresh: string }> {
    const { local } = await this.storage();
    return {
      access: JSON.parse(local.access_token ?? '""') as string,
      refresh: JSON.parse(local.refresh_token ?? '""') as string,
    };
  }

  private origin(): string {
    return new URL(this.page.url()).origin;
  }
}
