//! Texts of the pages that every visitor loads. Texts of pages that require authentication are in
//! `authenticated.rs`, those of footer and banners in `document.rs`.

use std::ops::Deref;

use leptos::prelude::*;

use super::{Lang, authenticated::AuthenticatedStrings};

super::string_table! {
    /// The pages' texts. Those of [`AuthenticatedStrings`] are reached through `Deref`.
    Strings {
        tagline: "您的账户，由您掌握。", "Your account, in your hands.";
        skip_to_content: "跳到主要内容", "Skip to content";

        profile: "个人资料", "Profile";
        menu: "菜单", "Menu";
        main_navigation: "主导航", "Main";

        home_guest: "个人资料、设备和文件，一处管理。基于 Gatehouse 自主部署。", "One place for your profile, devices and files. Self-hosted with Gatehouse.";
        home_renewal: "登录不中断", "Stay signed in";
        home_renewal_text: "使用期间自动续期，所有标签页保持同步。", "Your session renews automatically while you use it, in every tab.";
        home_logout: "退出登录即刻生效", "Log out everywhere, at once";
        home_logout_text: "随时结束本机或其他设备上的会话，立即生效。", "End any session, here or on another device. It takes effect immediately.";
        home_password: "密码只属于您", "Your password stays secret";
        home_password_text: "密码只以加密摘要保存，任何人都无法读取，包括我们。", "Only a hash of it is stored. It cannot be read, not even by us.";
        home_member: "您已登录。", "You are logged in.";
        to_profile: "查看个人资料", "Go to your profile";

        login_title: "登录您的账户", "Log in to your account";
        register_title: "创建账户", "Create your account";
        username: "邮箱或用户名", "Email or username";
        username_hint: "您的邮箱，或由 3 到 32 个汉字、字母或数字组成的用户名", "Your email, or a username of 3 to 32 letters and digits";
        password: "密码", "Password";
        password_again: "确认密码", "Confirm password";
        show_password: "显示密码", "Show password";
        hide_password: "隐藏密码", "Hide password";
        password_strength: "密码强度", "Strength";
        strength_weak: "弱", "Weak";
        strength_fair: "一般", "Fair";
        strength_good: "较强", "Good";
        strength_strong: "很强", "Strong";
        caps_lock: "大写锁定已开启", "Caps Lock is on";
        remember: "记住我", "Remember me";
        log_in: "登录", "Log in";
        register: "注册", "Create account";
        forgot_password: "忘记密码？", "Forgot password?";
        choose_password: "设置新密码", "Choose a new password";
        verify_address: "验证邮箱地址", "Verify your address";
        not_me: "不是我本人操作", "It was not me";
        log_out: "退出登录", "Log out";
        no_account: "没有账户？", "No account yet?";
        already_registered: "已有账户？", "Already have an account?";
        registration_closed: "目前不开放注册。", "Registration is closed.";
        invitation_needed: "注册需要邀请链接。", "You need an invitation link to register.";
        switch_account: "使用其他账户", "Use another account";

        retry: "重试", "Try again";
        account_menu: "账户菜单", "Account menu";
        settings: "设置", "Settings";
        files: "我的文件", "My files";
        section_profile: "个人信息", "Personal details";
        users: "用户管理", "Users";
        user_details: "用户详情", "User";
        invitations: "邀请", "Invitations";
        audit_log: "审计日志", "Audit log";
        section_security: "安全", "Security";
        section_devices: "设备", "Devices";
        section_data: "我的数据", "My data";

        not_found: "页面不存在", "Page not found";
        not_found_text: "地址可能有误，或者页面已被移走。", "The address may be mistyped, or the page has moved.";
        to_home: "返回首页", "Back to the home page";

        registered: "注册成功，请登录您的账户", "Account created. Log in to continue.";
        logged_in: "登录成功", "Logged in";
        logged_out: "您已退出登录", "You are logged out";
        logged_out_locally: "您已在此设备上退出登录，但未能通知服务器", "You are logged out on this device, but the server could not be reached";
        close: "关闭", "Close";
        notifications: "通知", "Notifications";

        session_expired: "登录已过期，请重新登录", "Your session has expired. Log in again.";
        session_logged_out: "您已在其他窗口中退出登录，请重新登录", "You logged out in another window. Log in again.";
        session_ended_elsewhere: "此会话已从其他设备上结束，请重新登录", "This session was ended from another device. Log in again.";
        session_reused: "此会话在两处同时使用，可能已被盗用，因此已结束。请重新登录并检查您的设备：", "This session was ended because its sign-in was used twice, perhaps by someone else. Log in, then check your devices:";
        session_disabled: "账户已停用", "This account is disabled";
        session_password_changed: "密码已更改，请重新登录", "Your password was changed. Log in again.";

        help_offline: "恢复连接后再试一次，已填写的内容不会丢失。", "Try again once you are connected. Nothing you typed is lost.";
        help_no_response: "服务器没有响应，可能正在重启。请稍候再试。", "The server is not responding; it may be restarting. Try again in a moment.";
        help_server_error: "这是我们的问题，已被记录。若持续出现，请告知我们此编号：", "This is a problem on our side and has been logged. If it continues, tell us this number:";
        help_disabled: "请联系管理员恢复账户。", "Ask an administrator to enable it again.";
        try_again_in: "可再次尝试，剩余", "You can try again in";
        try_now: "现在可以再次尝试。", "You can try again now.";

        network_offline: "网络错误：您已离线", "Network error: you are offline";
        network_error: "网络错误，请稍后重试", "Network error, please try again";
        unexpected_error: "出了点问题，请稍后重试", "Something went wrong, please try again";
    }
}

/// `Strings` derefs to [`AuthenticatedStrings`], so authenticated pages use both tables through one
/// reference.
impl Deref for Strings {
    type Target = AuthenticatedStrings;

    fn deref(&self) -> &AuthenticatedStrings {
        AuthenticatedStrings::of(self.lang)
    }
}

/// The greeting. Its mark is left out after a name that ends with one.
#[must_use]
pub fn welcome(lang: Lang, name: &str) -> String {
    let is_marked = name.ends_with(['!', '?', '.', '！', '？', '。', '…']);
    match lang {
        Lang::Zh => format!("欢迎，{name}{}", if is_marked { "" } else { "！" }),
        Lang::En => format!("Welcome, {name}{}", if is_marked { "" } else { "!" }),
    }
}

/// Names the page that a guest is logging in for.
#[must_use]
pub fn log_in_for(lang: Lang, page: &str) -> String {
    match lang {
        Lang::Zh => format!("登录后即可前往“{page}”。"),
        Lang::En => format!("Log in to continue to {page}."),
    }
}

/// The hint below "Remember me": how long the login lasts without a visit.
#[must_use]
pub fn remember_hint(lang: Lang, seconds: usize) -> String {
    const UNITS: [(usize, &str, &str); 3] =
        [(86_400, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute")];
    let [.., minutes] = UNITS;
    let (length, zh, en) =
        UNITS.into_iter().find(|(length, ..)| seconds >= 2 * length).unwrap_or(minutes);
    let count = seconds / length;
    match lang {
        Lang::Zh => format!("{count} {zh}内再次访问无需登录。请勿在公用设备上使用。"),
        Lang::En => {
            format!("Stays logged in for {count} {en}s after each visit. Not for shared computers.")
        }
    }
}

/// Questions an email address whose domain has no dot.
#[must_use]
pub fn domain_question(lang: Lang, address: &str) -> String {
    match lang {
        Lang::Zh => {
            format!("您是否想输入 {address}.com？如需使用 {address}，请再次点击“注册”。")
        }
        Lang::En => {
            format!("Did you mean {address}.com? To keep {address}, press Create account again.")
        }
    }
}

/// The hint beside a new password.
#[must_use]
pub fn password_hint(lang: Lang, min: usize) -> String {
    match lang {
        Lang::Zh => format!("至少 {min} 个字符，可以用一句话"),
        Lang::En => format!("At least {min} characters; a short sentence works well"),
    }
}

/// Storage used by files, of the user's quota.
#[must_use]
pub fn storage_used(lang: Lang, used: &str, quota: &str) -> String {
    match lang {
        Lang::Zh => format!("已用 {used}，共 {quota}"),
        Lang::En => format!("{used} of {quota} used"),
    }
}

/// The page's language as a signal: switching it changes every text in place and keeps the contents
/// of forms.
#[derive(Clone, Copy)]
pub struct Language(pub RwSignal<Lang>);

impl Language {
    /// The language of the current page, from the context.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// The current language; tracked.
    #[must_use]
    pub fn get(self) -> Lang {
        self.0.get()
    }

    /// The texts in the current language; tracked.
    #[must_use]
    pub fn strings(self) -> &'static Strings {
        Strings::of(self.0.get())
    }

    /// A text that follows the language. Takes a function pointer, so that the code behind it is
    /// compiled once for all texts.
    pub fn t(
        self,
        pick: fn(&'static Strings) -> &'static str,
    ) -> impl Fn() -> &'static str + Copy + Send + Sync {
        move || pick(self.strings())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welcome_to_name_that_ends_with_a_mark_adds_none() {
        assert_eq!(welcome(Lang::En, "Ada"), "Welcome, Ada!");
        assert_eq!(welcome(Lang::En, "the Sixty-4th!!"), "Welcome, the Sixty-4th!!");
        assert_eq!(welcome(Lang::En, "Sammy Davis Jr."), "Welcome, Sammy Davis Jr.");
        assert_eq!(welcome(Lang::Zh, "小明"), "欢迎，小明！");
        assert_eq!(welcome(Lang::Zh, "小明！"), "欢迎，小明！");
    }

    #[test]
    fn remember_hint_uses_the_largest_unit_that_fits_twice() {
        for (seconds, expected) in
            [(604_800, "7 days"), (86_400, "24 hours"), (172_800, "2 days"), (5400, "90 minutes")]
        {
            let hint = remember_hint(Lang::En, seconds);
            assert!(hint.contains(&format!("for {expected} after")), "{hint}");
        }
        assert!(remember_hint(Lang::Zh, 604_800).starts_with("7 天内"));
    }
}
