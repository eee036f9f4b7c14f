//! Texts outside the app, rendered by the server only: footer, banners, descriptions of pages,
//! error pages and the documentation of the API. Their own table, so that browsers do not download
//! them.

use super::Lang;

super::string_table! {
    /// The texts.
    DocumentStrings {
        language: "语言：", "Language:";
        theme: "主题", "Theme";
        theme_system: "跟随系统", "System";
        theme_light: "浅色", "Light";
        theme_dark: "深色", "Dark";
        privacy: "隐私政策", "Privacy";
        terms: "服务条款", "Terms";
        support: "帮助与支持", "Support";

        offline: "您已离线。恢复连接后可继续，已填写的内容不会丢失。", "You are offline. You can continue once you are connected; nothing you typed is lost.";
        page_incomplete: "页面未能完全加载。", "The page could not be loaded completely.";
        reload: "重新加载", "Reload";
        javascript_required: "此页面需要 JavaScript 和 WebAssembly。请在浏览器中启用后重新加载。", "This page needs JavaScript and WebAssembly. Please enable them and reload.";

        request_number: "请求编号：", "Number of the request:";

        api_title: "API 文档", "API documentation";
        api_about: "账户与会话：注册、登录、管理账户、退出登录。请求和响应均为 UTF-8 编码的 JSON；除上传外，请求体为 `application/json`，最大 64 KiB，未知成员会被忽略。各层的所有错误都是 `ApiError`：`code` 稳定不变，供程序使用；`message` 和 `fields` 供用户阅读，其语言由 `Accept-Language` 决定（`en`、`zh`）。所有响应均带有 `Cache-Control: no-store`。令牌只能通过 `Authorization` 请求头发送。各操作的说明为英文。", "Accounts and sessions: register, log in, manage the account, log out. Requests and responses are JSON in UTF-8; request bodies are `application/json` of at most 64 KiB, uploads excepted, and unknown members are ignored. Every error, from every layer, is an `ApiError`: `code` is stable and meant for programs, `message` and `fields` are meant for users, in the language of `Accept-Language` (`en`, `zh`). All responses carry `Cache-Control: no-store`. Tokens are accepted in the `Authorization` header only.";
        api_machine: "机器可读版本：", "Machine-readable:";
        api_public: "无需身份验证。", "No authentication required.";
        api_or: "或", "or";
        api_query: "查询参数", "Query";
        api_request: "请求", "Request";
        api_response: "响应", "Response";
        api_error: "错误响应", "Error response";
        about_api: "注册、登录、会话与账户管理的 HTTP 接口。", "The HTTP API for registration, login, sessions and accounts.";

        about_member: "管理您的个人资料、设备和文件。", "Manage your profile, devices and files.";
        about_recovery: "找回账户，或确认您的邮箱地址。", "Get back into your account, or confirm your address.";
        about_missing: "此地址没有页面。", "There is no page at this address.";
    }
}

/// Description of the login page.
#[must_use]
pub fn about_login(lang: Lang, site: &str) -> String {
    match lang {
        Lang::Zh => format!("登录您的 {site} 账户。"),
        Lang::En => format!("Log in to your {site} account."),
    }
}

/// Description of the registration page.
#[must_use]
pub fn about_register(lang: Lang, site: &str) -> String {
    match lang {
        Lang::Zh => format!("用邮箱或用户名注册 {site} 账户。"),
        Lang::En => format!("Create a {site} account with an email address or a username."),
    }
}
