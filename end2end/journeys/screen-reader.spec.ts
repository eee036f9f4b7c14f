// Accessibility tree in reading order: roles, names, descriptions and states.
import { fail, hold } from '../support/network.ts';
import { expect, test } from '../support/fixtures.ts';
import { Gatehouse } from '../support/gatehouse.ts';
import { EN, ZH } from '../support/words.ts';

test('registration announces labels, errors and their fields', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/register');
  await expect(page.locator('body')).toMatchAriaSnapshot(`
    - link "Skip to content"
    - banner:
      - link "Gatehouse"
      - navigation "Main":
        - link "Log in"
        - link "Create account"
    - main:
      - heading "Create your account" [level=1]
      - text: Email or username
      - textbox "Email or username"
      - paragraph: Your email, or a username of 3 to 32 letters and digits
      - text: Password
      - textbox "Password"
      - button "Show password"
      - paragraph: At least 8 characters; a short sentence works well
      - text: Confirm password
      - textbox "Confirm password"
      - button "Show password"
      - button "Create account"
      - paragraph:
        - text: Already have an account?
        - link "Log in"
    - contentinfo:
      - paragraph: Gatehouse
      - 'button "Language: 中文"'
      - combobox "Theme":
        - option "System" [selected]
        - option "Light"
        - option "Dark"
  `);
  await expect(gatehouse.password).toHaveAccessibleDescription(/^At least 8 characters/);
  await gatehouse.registerButton.click();
  await expect(gatehouse.account).toBeFocused();
  for (const field of [gatehouse.account, gatehouse.password]) {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAttribute('required', '');
  }
  await expect(gatehouse.account).toHaveAccessibleDescription(EN.problems.usernameMissing);
  // The password strength is announced politely while typing.
  await gatehouse.password.fill('correct horse battery staple');
  const meter = gatehouse.main.locator('[aria-live="polite"]').filter({ hasText: EN.passwordStrength });
  await expect(meter).toHaveText(`${EN.passwordStrength}: ${EN.strengthStrong}`);
});

test.describe('zh-CN', () => {
  test.use({ locale: 'zh-CN' });

  test('login is announced the same in Chinese', async ({ page }) => {
    const gatehouse = new Gatehouse(page, ZH);
    await gatehouse.open('/login');
    await expect(page.locator('body')).toMatchAriaSnapshot(`
      - link "跳到主要内容"
      - banner:
        - link "Gatehouse"
        - navigation "主导航":
          - link "登录"
          - link "注册"
      - main:
        - heading "登录您的账户" [level=1]
        - text: 邮箱或用户名
        - textbox "邮箱或用户名"
        - text: 密码
        - textbox "密码"
        - button "显示密码"
        - checkbox "记住我" [checked]
        - paragraph: 7 天内再次访问无需登录。请勿在公用设备上使用。
        - button "登录"
        - paragraph:
          - link "忘记密码？"
        - paragraph:
          - text: 没有账户？
          - link "注册"
      - contentinfo:
        - paragraph: Gatehouse
        - button /语言：\\s*English/
        - combobox "主题":
          - option "跟随系统" [selected]
          - option "浅色"
          - option "深色"
    `);
  });
});

test('profile is announced as greeting, facts and timeline', async ({ page, user }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.logIn(user);
  await expect(gatehouse.main).toMatchAriaSnapshot(`
    - main:
      - heading "Welcome, ${user.username}!" [level=1]
      - status
      - paragraph: ${user.username}
      - paragraph: /Member since .+/
      - button "Log out"
      - heading "This session" [level=2]
      - paragraph: Active. Renews automatically while you use it.
      - group:
        - text: Technical details
        - paragraph: /\\d+:\\d\\d time left/
        - progressbar "time left"
        - term: Token issued at
        - definition:
          - time: /.+/
        - term: Token expires at
        - definition:
          - time: /.+/
        - term: Token type
        - definition: access · password confirmed
        - heading "Timeline" [level=3]
        - list:
          - listitem: /Issued/
          - listitem: /Renews automatically/
          - listitem: /Expires/
  `);
});

test('pending and failed requests are announced', async ({ page, user, browserErrors }) => {
  browserErrors.expect(/status of 503 .*\/api\/me/);
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/login');
  const release = await hold(page, '/api/auth/login');
  await gatehouse.fillLogin(user);
  await gatehouse.loginButton.click();
  await expect(gatehouse.loginButton).toHaveAttribute('aria-busy', 'true');
  await expect(gatehouse.loginButton).toBeDisabled();
  await expect(gatehouse.loginButton).toBeFocused();
  const letLoad = await hold(page, '/api/me');
  release();
  await expect(page.getByRole('status').getByText(EN.profileLoading)).toBeAttached();
  letLoad();
  await gatehouse.expectProfile(user);
  await expect(page.getByRole('status').getByText(EN.profileLoading)).toHaveCount(0);

  await page.route('/api/me', (route) => fail(route, 503, 'unavailable', EN.messages.unavailable));
  await gatehouse.reload();
  await expect(gatehouse.main).toMatchAriaSnapshot(`
    - main:
      - heading "Welcome, ${user.username}!" [level=1]
      - status
      - alert:
        - heading "Your data could not be loaded" [level=2]
        - paragraph: The service is busy, please try again shortly
      - timer: /You can try again/
      - button "Try again"
      - button "Use another account"
  `);
});

test('navigation to a form sets the title and focuses the first field', async ({ page }) => {
  const gatehouse = new Gatehouse(page);
  await gatehouse.open('/');
  for (const [name, title] of [
    [EN.logIn, EN.loginTitle],
    [EN.register, EN.registerTitle],
  ] as const) {
    await gatehouse.header.getByRole('link', { name, exact: true }).click();
    // A form is opened to be filled in; the title of the document names it.
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    await expect(gatehouse.account).toBeFocused();
    await expect(page).toHaveTitle(`${title} · Gatehouse`);
  }
  await page.goBack();
  await expect(gatehouse.account).toBeFocused();
  await expect(page).toHaveTitle(`${EN.loginTitle} · Gatehouse`);
  await gatehouse.home.click();
  await expect(page.getByRole('heading', { level: 1, name: EN.tagline })).toBeFocused();
});
