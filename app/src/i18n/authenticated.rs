//! Texts of pages that require authentication: a table of its own, so that it is split off into
//! the chunk of those pages.

use super::Lang;

super::string_table! {
    /// The texts of these pages, reached through [`Strings`](super::strings::Strings) like all
    /// others.
    AuthenticatedStrings {
        member_since: "注册于", "Member since";
        current_session: "当前会话", "This session";
        session_active: "有效，使用期间自动续期。", "Active. Renews automatically while you use it.";
        technical_details: "技术信息", "Technical details";
        issued_at: "令牌签发时间", "Token issued at";
        expires_at: "令牌过期时间", "Token expires at";
        token_type: "令牌类型", "Token type";
        password_confirmed: "已确认密码", "password confirmed";
        time_left: "剩余时间", "time left";
        expired: "已过期，下次操作时自动续期", "Expired. Renews with your next action";
        timeline: "会话时间线", "Timeline";
        timeline_issued: "签发", "Issued";
        timeline_renewed: "续期后签发", "Renewed";
        timeline_renews: "使用期间自动续期", "Renews automatically while in use";
        timeline_expires: "过期", "Expires";
        profile_loading: "正在加载用户数据…", "Loading your data…";
        profile_failed: "无法加载用户资料", "Your data could not be loaded";
        account_name: "用户名", "Username";
        nickname: "昵称", "Nickname";
        nickname_hint: "页面上显示的名称，最多 64 个字符", "Display name, up to 64 characters";
        email: "邮箱", "Email";
        mobile: "手机号", "Mobile number";
        mobile_hint: "11 位手机号；其他国家的号码请加上国家代码，例如 +49 151 2345 6789", "With the country code, as in +1 202 555 0123";
        not_provided: "未填写", "Not given";
        details: "资料", "Details";
        login_address: "您用此邮箱登录", "You log in with this address";
        use_as_contact: "设为联系邮箱", "Use as contact address";
        edit: "编辑", "Edit";
        save: "保存", "Save";
        cancel: "取消", "Cancel";
        profile_saved: "个人信息已保存", "Details saved";
        reauth_title: "请再次输入密码", "Confirm your password";
        reauth_text: "为保护您的账户，请确认是您本人。未保存的内容不会丢失。", "To protect your account, please confirm that it is you. Nothing you typed is lost.";
        reauth_submit: "继续", "Continue";
        wrong_password: "密码错误", "Wrong password";

        change_password: "更改密码", "Change password";
        password_last_changed: "上次更改于", "Last changed:";
        change_password_text: "更改后，您的其他设备将退出登录。", "Your other devices will be logged out.";
        current_password: "当前密码", "Current password";
        new_password: "新密码", "New password";
        password_changed: "密码已更改，其他设备均已退出登录", "Password changed. Your other devices are logged out";

        cannot_log_in_text: "请联系管理员为您设置新密码。", "Ask an administrator to set a new password for you.";
        contact_support: "联系支持", "Contact support";
        forgot_text: "请输入登录时使用的邮箱或用户名。我们会发送邮件，供您设置新密码。", "Enter what you log in with. We send a mail that lets you choose a new password.";
        forgot_submit: "发送邮件", "Send the mail";
        mail_sent: "请查看邮箱", "Check your mail";
        mail_sent_text: "如果该账户存在且有邮箱地址，邮件已在发送途中。点击邮件中的链接，或在此输入邮件中的 8 位数字。两者均在 30 分钟内有效。", "If the account exists and has an email address, a mail is on its way there. Open its link, or type its 8 digits here. Both work for 30 minutes.";
        mail_missing: "没有收到邮件？请检查垃圾邮件文件夹。", "No mail? Look in the spam folder.";
        mail_again: "重新发送邮件", "Send another mail";
        mail_sent_again: "已重新发送邮件", "Another mail is on its way";
        digits: "8 位数字", "8 digits";
        digits_hint: "见邮件；仅在此浏览器中有效", "From the mail; they work in this browser only";
        digits_missing: "请输入邮件中的 8 位数字", "Enter the 8 digits from the mail";
        digits_invalid: "数字有误，或已失效。请核对，或重新发送邮件。", "These digits are wrong or no longer valid. Check them, or send another mail.";
        link_incomplete: "链接不完整", "This link is incomplete";
        link_incomplete_text: "请从邮件中重新打开链接。出于安全考虑，页面重新加载后链接内容不会保留。", "Open it again from the mail. To keep it secret, the page does not remember it after a reload.";
        link_invalid: "此链接已失效", "This link no longer works";
        reset_text: "设置后，您的所有设备都将退出登录。", "All of your devices will be logged out.";
        reset_submit: "设置新密码", "Set the new password";
        reset_done: "新密码已设置", "Your new password is set";
        reset_done_text: "所有设备均已退出登录。请用新密码登录。", "All of your devices are logged out. Log in with the new password.";
        reset_invalid_text: "链接只能使用一次，且 30 分钟内有效。请重新发送邮件。", "It works once, within 30 minutes. Send another mail to get a new one.";
        verify_text: "请确认此邮箱地址属于您。", "Confirm that this email address is yours.";
        verify_submit: "确认", "Confirm";
        verify_done: "邮箱地址已验证", "Address verified";
        verify_invalid_text: "链接只能使用一次，且有时间限制。登录后可在设置中重新发送邮件。", "It works once, for a limited time. Log in to send another mail from your settings.";
        verify_taken: "此地址已属于另一个账户", "This address belongs to another account";
        verify_taken_text: "请使用其他地址，或用此地址登录那个账户。", "Use another address, or log in to that account with this one.";
        unverified_text: "登录前需要先验证邮箱地址。请打开我们发送的邮件中的链接。", "Before you can log in, open the link in the mail that we sent you.";
        undo_text: "如果邮件中的操作不是您本人所为，请在此保护您的账户：所有设备将退出登录，被更改的邮箱地址将恢复，并会发送邮件供您设置新密码。", "If what the mail describes was not you, secure your account: all devices are logged out, a changed address is restored, and a mail lets you choose a new password.";
        undo_submit: "保护我的账户", "Secure my account";
        undo_done: "您的账户已受到保护", "Your account is secured";
        undo_done_text: "所有设备均已退出登录。请用我们刚刚发送的邮件设置新密码。", "All devices are logged out. Choose a new password with the mail that we have just sent you.";
        undo_invalid_text: "链接只能使用一次，且 72 小时内有效。如不放心，请设置新密码。", "It works once, within 72 hours. If you are not sure, choose a new password.";

        address_verified: "已验证", "Verified";
        address_unverified: "未验证", "Not verified";
        address_waiting: "正在等待确认新地址", "Waiting for the new address:";
        address_check: "确认邮箱地址", "Confirm your address";
        address_check_text: "我们已发送邮件。请打开其中的链接，或在此输入 8 位数字。", "We sent a mail. Open its link, or type its 8 digits here.";
        address_claim_text: "验证后，您可以用此地址登录，并在忘记密码时找回账户。", "Once it is verified you can log in with it, and get back in if you forget your password.";
        address_digits_hint: "见我们发往此地址的邮件", "From the mail that we sent to this address";
        address_change_sent: "邮件已发往新地址，确认后更改才会生效", "A mail is on its way to the new address. Nothing changes until you confirm it";

        alerts: "安全提醒", "Alerts";
        alerts_text: "您的密码或邮箱地址更改时，我们总会发邮件通知您。", "We always send you a mail when your password or your address changes.";
        alert_new_device: "在新设备上登录时也通知我", "Also when I log in on a new device";
        alerts_saved: "提醒设置已保存", "Alerts saved";
        alerts_failed: "未能保存提醒设置，请重试", "The alerts could not be saved, please try again";

        activity_text: "最近 90 天内您账户的登录和更改。", "Logins and changes of your account in the last 90 days.";
        activity_none: "没有记录", "Nothing yet";
        activity_failed: "无法加载最近活动", "Your activity could not be loaded";
        not_me_title: "不是您本人登录？", "Was this not you?";
        not_me_text: "此会话将立即结束。请随后更改密码。", "The session ends at once. Change your password next.";
        not_me_ended_text: "此会话已结束。请更改密码。", "That session has ended already. Change your password.";
        not_me_submit: "结束会话并更改密码", "End it and change my password";
        not_me_done: "该会话已结束，请立即更改密码", "The session has ended. Change your password now";

        invitation_new: "邀请新用户", "Invite a new user";
        invitation_email: "邮箱地址（可选）", "Email address (optional)";
        invitation_email_hint: "邀请将发往此地址。留空则只生成链接。", "The invitation is sent there. Leave it empty to get a link only.";
        invitation_create: "创建邀请", "Create an invitation";
        invitation_ready: "邀请已创建", "Invitation created";
        invitation_sent: "邮件已在发送途中。您也可以复制链接。", "The mail is on its way. You can also copy the link.";
        invitation_link_text: "请将此链接交给对方。链接只显示这一次，只能使用一次。", "Give this link to the person. It is shown only now, and works once.";
        invitation_link: "邀请链接", "Invitation link";
        copy: "复制", "Copy";
        copied: "已复制", "Copied";
        invitations_text: "邀请在 7 天内有效，只能使用一次。", "An invitation is valid for 7 days, and works once.";
        invitations_open: "有效的邀请", "Open invitations";
        invitations_none: "没有有效的邀请", "There are no open invitations";
        invitations_failed: "无法加载邀请", "The invitations could not be loaded";
        invitations_loading: "正在加载邀请…", "Loading invitations…";
        invitation_without_address: "链接邀请", "By link";
        invitation_expires: "有效期至", "Valid until";
        invitation_by: "创建者", "by";
        invitation_revoke: "撤销", "Revoke";
        invitation_revoked: "邀请已撤销", "Invitation revoked";

        verify_for_user: "将地址标为已验证", "Mark address as verified";
        verify_for_user_done: "地址已标为已验证", "Address marked as verified";
        send_for_user: "发送验证邮件", "Send verification mail";
        send_for_user_done: "验证邮件已在发送途中", "The verification mail is on its way";

        devices_text: "您在以下设备上登录。如有不认识的设备，请让其退出登录，然后更改密码。", "Where you are logged in. Log out devices you don't recognize, then change your password.";
        active_now: "正在使用", "Active now";
        devices_failed: "无法加载设备列表", "Your devices could not be loaded";
        unknown_device: "未知设备", "Unknown device";
        this_device: "当前设备", "This device";
        new_device: "新设备", "New device";
        last_seen: "上次活跃", "Last active";
        logged_in_since: "登录于", "Logged in on";
        first_logged_in: "首次登录于", "First logged in on";
        log_out_device: "退出登录", "Log out";
        log_out_device_title: "让此设备退出登录？", "Log out this device?";
        log_out_device_text: "将立即退出登录。", "will be logged out immediately.";
        log_out_others: "让其他所有设备退出登录", "Log out all other devices";
        log_out_others_title: "让其他所有设备退出登录？", "Log out all other devices?";
        log_out_others_text: "除当前设备外，所有设备都将立即退出登录。", "All devices except this one will be logged out immediately.";
        device_logged_out: "该设备已退出登录", "Device logged out";
        others_logged_out: "其他设备均已退出登录", "All other devices logged out";

        export_title: "下载您的数据", "Download your data";
        export_text: "我们保存的关于您的一切：资料、会话、活动记录和图片，打包为一个 ZIP 文件。", "Everything we store about you: profile, sessions, activity and pictures, in one ZIP file.";
        export_submit: "下载", "Download";
        export_done: "您的数据已下载", "Your data has been downloaded";
        delete_title: "删除账户", "Delete your account";
        delete_text: "账户、文件和全部记录将被永久删除，无法恢复。若要确认，请输入您的用户名：", "This permanently deletes your account, files and history. It cannot be undone. To confirm, type your username:";
        delete_confirm: "您的用户名", "Your username";
        delete_submit: "永久删除账户", "Permanently delete my account";
        account_deleted: "您的账户已删除", "Your account has been deleted";

        users_search: "搜索用户", "Search users";
        users_search_hint: "输入昵称、用户名或邮箱的开头，或账户 ID", "The beginning of any word of a nickname, username or email, or an account ID";
        users_sort: "排序", "Sort by";
        sort_newest: "最近注册", "Newest first";
        sort_oldest: "最早注册", "Oldest first";
        sort_name: "用户名 A 到 Z", "Username A to Z";
        sort_name_reversed: "用户名 Z 到 A", "Username Z to A";
        pagination: "页", "Pages";
        first_page: "第一页", "First page";
        previous_page: "上一页", "Previous page";
        next_page: "下一页", "Next page";
        users_loading: "正在加载用户列表…", "Loading users…";
        users_failed: "无法加载用户列表", "The users could not be loaded";
        users_none: "没有用户", "No users";
        no_users_found: "没有找到用户。请检查拼写，或取消筛选条件。", "No users found. Check the spelling, or remove a filter.";
        any_role: "全部角色", "All roles";
        only_members: "普通用户", "Members";
        only_admins: "管理员", "Administrators";
        any_status: "全部状态", "Any status";
        user: "用户", "User";
        role: "角色", "Role";
        role_user: "普通用户", "Member";
        role_admin: "管理员", "Administrator";
        registered_at: "注册时间", "Registered";
        active_sessions: "活跃会话", "Sessions";
        status: "状态", "Status";
        enabled: "正常", "Active";
        disabled: "已停用", "Disabled";
        manage: "管理", "Manage";
        disable: "停用账户", "Disable";
        disable_title: "停用此账户？", "Disable this account?";
        disable_text: "该用户将立即在所有设备上退出登录，且无法再登录，直到账户恢复。", "The user is logged out everywhere immediately, and cannot log in until the account is enabled again.";
        enable: "恢复账户", "Enable";
        end_sessions: "结束所有会话", "Log out everywhere";
        end_sessions_title: "结束此用户的所有会话？", "Log this user out everywhere?";
        end_sessions_text: "该用户将立即在所有设备上退出登录，之后可以重新登录。", "All sessions of this user end immediately. The user can log in again.";
        promote: "设为管理员", "Make administrator";
        promote_title: "设为管理员？", "Make this user an administrator?";
        promote_text: "管理员可以查看和更改所有账户，包括您的账户。", "Administrators can view and change all accounts, including yours.";
        demote: "移除管理员角色", "Remove administrator role";
        demote_title: "移除管理员角色？", "Remove the administrator role?";
        demote_text: "该账户将不能再管理其他账户。", "The account can no longer manage other accounts.";
        account_saved: "账户更改已保存", "Account updated";
        own_account: "这是您自己的账户。", "This is your own account.";
        never: "从未", "Never";
        last_login: "最近登录", "Last login";
        user_failed: "无法加载此用户", "The user could not be loaded";
        user_gone: "没有这个用户", "There is no such user";
        user_gone_text: "账户可能已被删除。", "The account may have been deleted.";
        no_sessions: "此用户未登录任何设备。", "This user is not logged in anywhere.";
        end_session: "结束会话", "End session";
        end_session_title: "结束此会话？", "End this session?";
        pictures: "图片", "Pictures";
        show_pictures: "显示图片", "Show pictures";
        show_pictures_text: "图片是私密的。查看操作会记入审计日志。", "Pictures are private. Looking at them is recorded in the audit log.";
        remove_picture: "移除图片", "Remove picture";
        remove_avatar: "移除头像", "Remove profile picture";
        removal_title: "移除此图片？", "Remove this picture?";
        removal_text: "图片将被永久删除，其所有者会看到原因。", "The picture is permanently deleted. The owner sees the reason.";
        removal_reason: "原因", "Reason";
        removal_choose: "请选择原因", "Choose a reason";
        removal_explanation: "补充说明（所有者可见）", "Explanation for the owner";
        picture_removed_done: "图片已移除，其所有者会看到原因", "Picture removed. The owner sees the reason";
        recent_activity: "最近活动", "Recent activity";
        notice_file: "管理员移除了您的一张图片", "An administrator removed one of your pictures";
        notice_avatar: "管理员移除了您的头像", "An administrator removed your profile picture";
        notice_dismiss: "知道了", "Dismiss";
        notice_dismiss_failed: "未能关闭通知，请重试", "The notice could not be dismissed, please try again";

        audit_all: "查看全部", "View all";
        audit_event: "事件", "Event";
        audit_all_events: "全部事件", "All events";
        audit_outcome: "结果", "Outcome";
        audit_all_outcomes: "全部结果", "All outcomes";
        audit_period: "时间", "Period";
        audit_any_time: "全部时间", "Any time";
        last_hour: "最近 1 小时", "Last hour";
        last_day: "最近 24 小时", "Last 24 hours";
        last_week: "最近 7 天", "Last 7 days";
        last_month: "最近 30 天", "Last 30 days";
        audit_user_hint: "完整的用户名或账户 ID", "A whole username, or an account ID";
        audit_loading: "正在加载审计日志…", "Loading the audit log…";
        audit_failed: "无法加载审计日志", "The audit log could not be loaded";
        audit_none: "没有符合条件的记录", "No matching entries";
        audit_older: "更早的记录", "Older entries";
        audit_by: "操作者", "by";
        audit_live: "实时更新", "Live";
        audit_paused: "已暂停", "Paused";
        audit_disconnected: "连接中断，正在重试", "Connection lost, trying again";
        audit_pause: "暂停", "Pause";
        audit_resume: "继续", "Resume";
        admin_only: "此页面仅供管理员使用", "This page is for administrators";
        admin_only_text: "如需访问，请联系管理员。", "Ask an administrator for access.";

        files_hint: "JPEG、PNG 或 WebP，最大 5 MB；也可拖放或粘贴。只有您和管理员能看到。", "JPEG, PNG or WebP up to 5 MB. You can also drag and drop or paste. Only you and administrators can see them.";
        files_empty: "还没有图片", "No pictures yet";
        files_drop: "将图片拖到此处，或", "Drop pictures here or ";
        files_browse: "浏览文件", "browse";
        storage: "存储空间", "Storage";
        files_loading: "正在加载文件…", "Loading your files…";
        files_failed: "无法加载文件", "Your files could not be loaded";
        files_more: "显示更多", "Show more";
        upload: "上传", "Upload";
        uploading: "正在上传", "Uploading";
        file_too_large: "图片最大 5 MB", "Pictures can be at most 5 MB";
        file_delete: "删除", "Delete";
        file_deleted: "已删除", "Deleted";
        file_delete_failed: "未能删除文件", "The file could not be deleted";
        file_previous: "上一张", "Previous picture";
        file_next: "下一张", "Next picture";
        file_save: "保存到设备", "Save to this device";
        undo: "撤销", "Undo";

        picture: "头像", "Picture";
        picture_hint: "JPEG、PNG 或 WebP；也可拖放或粘贴到此处。", "JPEG, PNG or WebP. You can also drag and drop or paste it here.";
        picture_choose: "选择图片", "Choose a picture";
        picture_take_photo: "拍照", "Take a photo";
        picture_remove: "移除头像", "Remove the picture";
        picture_crop: "拖动图片或用方向键移动，用加号和减号缩放。", "Drag the picture or move it with the arrow keys; plus and minus zoom.";
        picture_no_crop: "浏览器的隐私保护不允许网页读取绘图，因此无法选择裁剪范围，将使用图片的中间部分。", "Your browser's privacy protection does not let pages read what they draw, so the middle of the picture is used.";
        picture_zoom: "缩放", "Zoom";
        picture_save: "保存头像", "Save the picture";
        picture_changed: "头像已更新", "Picture updated";
        picture_removed: "头像已移除", "Picture removed";
        picture_kinds: "请选择 JPEG、PNG 或 WebP 图片", "Choose a JPEG, PNG or WebP picture";
        picture_unreadable: "无法读取这张图片，请换一张。", "This picture cannot be read. Please choose another one.";
    }
}

/// A device's name, from its browser and operating system where they are known.
#[must_use]
pub fn device_name(lang: Lang, browser: Option<&str>, system: Option<&str>) -> String {
    match (browser, system, lang) {
        (Some(browser), Some(system), Lang::Zh) => format!("{browser}（{system}）"),
        (Some(browser), Some(system), Lang::En) => format!("{browser} on {system}"),
        (Some(one), None, _) | (None, Some(one), _) => one.to_owned(),
        (None, None, lang) => AuthenticatedStrings::of(lang).unknown_device.to_owned(),
    }
}

/// States that an address can be used to log in from now on.
#[must_use]
pub fn can_log_in_with(lang: Lang, email: &str) -> String {
    match lang {
        Lang::Zh => format!("您现在可以用 {email} 登录。"),
        Lang::En => format!("You can log in with {email} now."),
    }
}

/// Link to all files, with their number once it is known.
#[must_use]
pub fn view_all_files(lang: Lang, count: Option<u64>) -> String {
    match (lang, count) {
        (Lang::Zh, None) => "查看全部".to_owned(),
        (Lang::Zh, Some(count)) => format!("查看全部（{count}）"),
        (Lang::En, None) => "View all".to_owned(),
        (Lang::En, Some(count)) => format!("View all ({count})"),
    }
}

/// Numbers of the users that are shown, and of all in the list.
#[must_use]
pub fn accounts_shown(lang: Lang, (first, last): (u64, u64), total: u64, is_exact: bool) -> String {
    if last == 0 {
        return AuthenticatedStrings::of(lang).users_none.to_owned();
    }
    if total == 1 && is_exact {
        let only = match lang {
            Lang::Zh => "共 1 个用户",
            Lang::En => "1 user",
        };
        return only.to_owned();
    }
    let (first, last) = (grouped(first), grouped(last));
    let total = format!("{}{}", grouped(total), if is_exact { "" } else { "+" });
    match lang {
        Lang::Zh => format!("第 {first}–{last} 个，共 {total} 个用户"),
        Lang::En => format!("{first}–{last} of {total} users"),
    }
}

/// Number of displayed entries of the audit log.
#[must_use]
pub fn entries_shown(lang: Lang, count: usize) -> String {
    match (lang, count) {
        (Lang::Zh, _) => format!("{count} 条记录"),
        (Lang::En, 1) => "1 entry".to_owned(),
        (Lang::En, _) => format!("{count} entries"),
    }
}

/// Number and size of a user's files.
#[must_use]
pub fn files_stored(lang: Lang, count: u64, size: &str) -> String {
    match (lang, count) {
        (Lang::Zh, 0) => "没有文件".to_owned(),
        (Lang::Zh, _) => format!("{count} 个文件，共 {size}"),
        (Lang::En, 0) => "No files".to_owned(),
        (Lang::En, 1) => format!("1 file, {size}"),
        (Lang::En, _) => format!("{count} files, {size}"),
    }
}

/// Formats a number with commas between groups of three digits, as both languages do.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_shown_states_numbers_and_whether_there_may_be_more() {
        let shown = |first, last, total, is_exact| {
            [Lang::En, Lang::Zh].map(|lang| accounts_shown(lang, (first, last), total, is_exact))
        };
        assert_eq!(shown(1, 50, 220, true), ["1–50 of 220 users", "第 1–50 个，共 220 个用户"]);
        assert_eq!(
            shown(9951, 10_000, 10_000, false),
            ["9,951–10,000 of 10,000+ users", "第 9,951–10,000 个，共 10,000+ 个用户"]
        );
        assert_eq!(shown(1, 1, 1_234_567, true)[0], "1–1 of 1,234,567 users");
        assert_eq!(shown(1, 1, 1, true), ["1 user", "共 1 个用户"]);
        assert_eq!(shown(0, 0, 0, true), ["No users", "没有用户"]);
    }
}
