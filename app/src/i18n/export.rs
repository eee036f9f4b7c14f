//! Texts of the page in an export of account data.

super::string_table! {
    /// The texts of the page.
    ExportStrings {
        title: "您的 Gatehouse 数据", "Your Gatehouse data";
        exported_at: "导出时间", "Exported at";
        complete: "account.json 包含全部数据。", "account.json has all of the data.";
        account: "账户", "Account";
        username: "用户名", "Username";
        nickname: "昵称", "Nickname";
        email: "邮箱", "Email";
        mobile: "手机号", "Mobile number";
        member_since: "注册于", "Member since";
        not_provided: "未填写", "Not given";
        pictures: "图片", "Pictures";
        sessions: "会话", "Sessions";
        started: "登录于", "Logged in";
        last_active: "上次活跃", "Last active";
        address: "IP 地址", "IP address";
        user_agent: "浏览器", "Browser";
        ended: "结束原因", "Ended";
        active: "有效", "Active";
        activity: "最近活动记录", "Recent activity";
        time: "时间", "Time";
        event: "事件", "Event";
        outcome: "结果", "Outcome";
    }
}
