//! What the pages behind the gate say: a table of its own, so that it is split off with them (`pages/rooms.rs`).

super::table! {
    /// The words of these pages. They are picked from [`Words`](super::words::Words) like all others.
    Inside {
        since: "注册于", "Member since";
        your_token: "您的登录凭证", "Your token";
        issued_at: "Token 签发时间", "Token issued at";
        expires_at: "Token 过期时间", "Token expires at";
        token_type: "Token 类型", "Token type";
        fresh: "刚刚通过密码登录", "straight from your password";
        time_left: "剩余时间", "time left";
        expired: "已过期，下次操作时自动续期", "Expired; it is renewed with your next step";
        story: "凭证的经过", "Its story";
        story_issued: "签发", "Issued";
        story_renewed: "续期后签发", "Issued by a refresh";
        story_renews: "提前自动续期（使用期间）", "Refreshed ahead of time, while you are here";
        story_expires: "过期", "Expires";
        loading: "正在加载用户数据…", "Loading your data…";
        load_failed: "无法加载用户资料", "Your data could not be loaded";
        account_name: "用户名", "Username";
        nickname: "昵称", "Nickname";
        nickname_hint: "大家对您的称呼，最多 64 个字符", "What you are called here, up to 64 characters";
        email: "邮箱", "Email";
        mobile: "手机号", "Mobile number";
        mobile_hint: "包含国家代码，例如 +86 139 1234 5901", "With the country's code, as in +86 139 1234 5901";
        not_given: "未填写", "Not given";
        show: "显示", "Show";
        hide: "隐藏", "Hide";
        edit: "编辑", "Edit";
        save: "保存", "Save";
        cancel: "取消", "Cancel";
        details_saved: "个人资料已保存", "Your details are saved";
        proof_title: "请再次输入密码", "Your password once more";
        proof_text: "为保护您的账户，请确认是您本人。未保存的内容不会丢失。", "To protect your account, show that it is you. Nothing that you typed is lost.";
        go_on: "继续", "Continue";
        wrong_password: "密码错误", "Wrong password";

        people_search: "搜索用户", "Find somebody";
        people_search_hint: "用户名或昵称的开头，或完整的邮箱、id", "How a name or nickname begins, or a whole email address or id";
        people_sort: "排序", "Order";
        sort_newest: "最近注册", "Newest first";
        sort_oldest: "最早注册", "Oldest first";
        sort_name: "用户名 A 到 Z", "By name, A to Z";
        sort_name_reversed: "用户名 Z 到 A", "By name, Z to A";
        people_pages: "页", "Pages";
        first_page: "第一页", "First page";
        next_page: "下一页", "Next page";
        people_loading: "正在加载用户列表…", "Loading the list…";
        people_failed: "无法加载用户列表", "The list could not be loaded";
        nobody_found: "没有找到用户。请检查拼写，或只输入名字的开头。", "Nobody is found. Check the spelling, or type only how the name begins.";
        person: "用户", "Person";
        role: "角色", "Role";
        role_user: "普通用户", "Person";
        role_admin: "管理员", "Administrator";
        made: "注册时间", "Member since";
        sessions: "登录数", "Logins";
        standing: "状态", "State";
        enabled: "正常", "Active";
        disabled: "已停用", "Disabled";
        manage: "管理", "Manage";
        disable: "停用账户", "Disable";
        disable_title: "停用此账户？", "Disable this account?";
        disable_text: "该用户将立即在所有设备上登出，且无法再登录，直到账户恢复。", "Its person is logged out everywhere at once, and cannot log in until the account is enabled again.";
        enable: "恢复账户", "Enable";
        end_sessions: "结束所有登录", "Log out everywhere";
        end_sessions_title: "结束此用户的所有登录？", "Log this person out everywhere?";
        end_sessions_text: "该用户将立即在所有设备上登出，之后可以重新登录。", "All their logins end at once. They can log in again.";
        promote: "设为管理员", "Make an administrator";
        promote_title: "设为管理员？", "Make this person an administrator?";
        promote_text: "管理员可以查看和更改其他用户的账户，包括您的账户。", "Administrators see and change other people's accounts, yours too.";
        demote: "取消管理员", "Take the role of an administrator";
        demote_title: "取消其管理员角色？", "Take the role of an administrator?";
        demote_text: "该用户将不能再管理其他账户。", "This person can no longer manage other accounts.";
        account_saved: "账户更改已保存", "The changes to the account are saved";
        not_for_you: "此页面仅供管理员使用", "This page is for administrators";
        not_for_you_text: "如需管理其他账户，请联系管理员授权。", "An administrator can make you one, too.";
    }
}

/// How many accounts are shown.
#[must_use]
pub fn accounts_shown(lang: super::Lang, count: usize) -> String {
    match (lang, count) {
        (super::Lang::Zh, _) => format!("已显示 {count} 个用户"),
        (super::Lang::En, 1) => "1 person is shown".to_owned(),
        (super::Lang::En, _) => format!("{count} people are shown"),
    }
}
