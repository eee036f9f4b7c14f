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
    }
}
