//! Texts of the `message` member of API responses.

super::string_table! {
    /// The messages.
    Messages {
        registered: "注册成功，请登录您的账户", "Registered. Please log in.";
        logged_in: "登录成功", "Logged in";
        refreshed: "会话已续期", "Session renewed";
        logged_out: "您已退出登录", "You are logged out";
        account_saved: "账户更改已保存", "Account updated";

        undone: "所有设备均已退出登录，重置密码的邮件已发送", "All devices are logged out, and a message to choose a new password is on its way";
        reauthenticated: "密码已确认", "Password confirmed";
        password_changed: "密码已更改，其他设备均已退出登录", "Password changed. Your other devices are logged out";
        session_ended: "该设备已退出登录", "Device logged out";
        sessions_ended: "其他设备均已退出登录", "All other devices logged out";
        account_deleted: "您的账户及全部数据已删除", "Your account and all its data have been deleted";
        reset_requested: "如果该账户存在并有可用的邮箱，重置密码的邮件已在发送途中", "If there is such an account with an address, a message to reset the password is on its way";
        password_reset: "密码已重置，所有设备均已退出登录，请用新密码登录", "Password reset. All devices are logged out. Please log in with the new password";
        verification_sent: "验证邮件已发送，请查收", "A message to confirm the address is on its way";
        address_verified: "邮箱地址已验证", "Email address verified";
        invitation_created: "邀请已创建，请将链接发给对方", "Invitation created. Pass the link on";
        invitation_sent: "邀请邮件已发送", "Invitation sent";
        invitation_revoked: "邀请已撤销", "Invitation revoked";
        profile_saved: "资料已保存", "Profile saved";
        avatar_changed: "头像已更新", "Picture updated";
        avatar_removed: "头像已移除", "Picture removed";
        file_uploaded: "文件已上传", "File uploaded";
        file_deleted: "文件已删除", "File deleted";
        picture_removed: "图片已移除，其所有者会看到原因", "Picture removed. The owner sees the reason";
        notice_dismissed: "通知已关闭", "Notice dismissed";

        bad_request: "请求格式不正确", "The request could not be understood";
        validation_failed: "请检查标出的字段", "Please check the marked fields";
        invalid_credentials: "用户名或密码错误", "Wrong username or password";
        token_missing: "请先登录", "Please log in first";
        token_expired: "登录已过期，请重新登录", "Your login has expired, please log in again";
        token_revoked: "登录已失效，请重新登录", "Your login has ended, please log in again";
        token_invalid: "登录无效，请重新登录", "This login is not valid, please log in again";
        fresh_required: "请再次输入密码以继续", "Please enter your password again to continue";
        code_invalid: "此链接或验证码已失效：可能已用过、已过期，或不完整", "This link or code is not valid: it may have been used, have expired, or be incomplete";
        account_disabled: "账户已停用", "This account is disabled";
        address_unverified: "请先验证您的邮箱地址", "Please verify your email address first";
        registration_closed: "目前不开放注册", "Registration is closed";
        forbidden: "您没有权限执行此操作", "You are not allowed to do this";
        not_found: "未找到请求的内容", "Not found";
        method_not_allowed: "此地址不支持该请求方法", "This method is not allowed here";
        username_taken: "用户名已存在", "This username is taken";
        address_taken: "此邮箱地址已属于另一个账户", "This address belongs to another account";
        last_admin: "必须至少保留一位可用的管理员", "At least one active administrator must remain";
        payload_too_large: "请求内容过大", "The request is too large";
        unsupported_media_type: "请使用 application/json 格式", "Please send application/json";
        too_many_attempts: "尝试次数过多，请稍后再试", "Too many attempts, please try again later";
        too_many_uploads: "同时上传的文件过多，请等待其中一些完成后重试", "Too many uploads at once, please try again when some have finished";
        internal_error: "服务器出错，请稍后重试", "Something went wrong on our side, please try again";
        page_failed: "此页面未能显示", "This page could not be displayed";
        unavailable: "服务暂时不可用，请稍后重试", "The service is busy, please try again shortly";
    }
}

/// The message for a username that is taken.
#[must_use]
pub fn username_taken(lang: super::Lang, name: &str) -> String {
    match lang {
        super::Lang::Zh => format!("用户名 {name} 已存在"),
        super::Lang::En => format!("The username {name} is taken"),
    }
}
