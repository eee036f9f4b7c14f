//! Texts of the audit log: events, outcomes and details in words. In the chunk of the pages that
//! require authentication, like `authenticated.rs`.

use super::Lang;

/// Returns an event in words; [`None`] for an event of a newer server.
#[must_use]
pub fn event_text(lang: Lang, event: &str) -> Option<&'static str> {
    let (zh, en) = match event {
        "registered" => ("注册账户", "Registered"),
        "logged_in" => ("登录", "Login"),
        "refreshed" => ("会话续期失败", "Session renewal failed"),
        "refresh_reused" => ("令牌重复使用，会话已结束", "Token used twice, session ended"),
        "logged_out" => ("退出登录", "Logged out"),
        "session_revoked" => ("结束会话", "Session ended"),
        "key_rotated" => ("创建签名密钥", "Signing key created"),
        "key_retired" => ("移除签名密钥", "Signing key removed"),
        "profile_changed" => ("更改个人资料", "Profile changed"),
        "password_changed" => ("更改密码", "Password change"),
        "reauthenticated" => ("再次确认密码", "Password confirmation"),
        "new_device" => ("从新设备登录", "Login from a new device"),
        "exported" => ("下载账户数据", "Account data downloaded"),
        "account_deleted" => ("删除账户", "Account deleted"),
        "user_created" => ("创建账户", "Account created"),
        "user_disabled" => ("停用账户", "Account disabled"),
        "user_enabled" => ("恢复账户", "Account enabled"),
        "role_changed" => ("更改角色", "Role changed"),
        "change_refused" => ("拒绝更改：过于频繁", "Refused: too many changes"),
        "pictures_viewed" => ("管理员查看图片", "Pictures viewed by an administrator"),
        "picture_removed" => ("管理员移除图片", "Picture removed by an administrator"),
        "alert_undone" => ("提醒邮件中的“不是我本人操作”", "\"It was not me\" in an alert mail"),
        "mail_failed" => ("邮件发送失败", "Message could not be sent"),
        "address_verified" => ("验证邮箱地址", "Email address verified"),
        "address_lost" => {
            ("更换用户名：邮箱地址属于另一个账户", "Renamed: address belongs to another account")
        }
        "reset_requested" => ("请求重置密码", "Password reset requested"),
        "password_reset" => ("重置密码", "Password reset"),
        "verification_sent" => ("发送验证邮件", "Verification requested"),
        "invitation_created" => ("创建邀请", "Invitation created"),
        "invitation_revoked" => ("撤销邀请", "Invitation revoked"),
        _ => return None,
    };
    Some(pick(lang, zh, en))
}

/// Returns an event with this outcome in words, as [`event_text`] does.
#[must_use]
pub fn event_with_outcome_text(lang: Lang, event: &str, outcome: &str) -> Option<&'static str> {
    if event == "logged_in" && outcome != "success" {
        return Some(pick(lang, "登录未成功", "Login refused"));
    }
    event_text(lang, event)
}

/// Returns an outcome in words; [`None`] for an outcome of a newer server.
#[must_use]
pub fn outcome_text(lang: Lang, outcome: &str) -> Option<&'static str> {
    let (zh, en) = match outcome {
        "success" => ("成功", "Success"),
        "unknown_account" => ("账户不存在", "Unknown account"),
        "wrong_password" => ("密码错误", "Wrong password"),
        "disabled" => ("账户已停用", "Account disabled"),
        "address_unverified" => ("邮箱地址未验证", "Address not verified"),
        "throttled" => ("尝试次数过多", "Too many attempts"),
        _ => return None,
    };
    Some(pick(lang, zh, en))
}

/// Returns the details of an event in words: those words of them that are known, the others as they
/// are.
#[must_use]
pub fn detail_text(lang: Lang, detail: &str) -> String {
    if let Some(rest) = detail.strip_suffix("by the command line") {
        let rest = detail_text(lang, rest.trim_end());
        let comma = if rest.is_empty() { "" } else { pick(lang, "，", ", ") };
        return [&rest, comma, pick(lang, "通过命令行", "on the command line")].concat();
    }
    // A removed picture: its kind and the reason.
    if let Some((kind, reason)) = detail.split_once(' ')
        && let Some(reason) = removal_word(lang, reason)
    {
        let label = pick(lang, "，原因：", ", reason: ");
        return [detail_word(lang, kind).unwrap_or(kind), label, reason].concat();
    }
    let words = detail.split(' ').map(|part| {
        let (word, comma) = match part.strip_suffix(',') {
            Some(word) => (word, pick(lang, "、", ", ")),
            None => (part, " "),
        };
        format!("{}{comma}", detail_word(lang, word).unwrap_or(word))
    });
    words.collect::<String>().trim_end().to_owned()
}

fn detail_word(lang: Lang, word: &str) -> Option<&'static str> {
    let (zh, en) = match word {
        "nickname" => ("昵称", "nickname"),
        "email" => ("邮箱", "email"),
        "mobile" => ("手机号", "mobile number"),
        "avatar" => ("头像", "profile picture"),
        "alert_new_device" => ("新设备登录提醒", "alert of new devices"),
        "file" => ("文件", "file"),
        "seeded" => ("个测试账户", "test accounts"),
        "admin" => ("管理员", "administrator"),
        "user" => ("普通用户", "member"),
        "disabled" => ("账户已停用", "account disabled"),
        "ended_elsewhere" => ("从别处结束", "ended from elsewhere"),
        "password_changed" => ("密码已更改", "password changed"),
        "logged_out" => ("已退出登录", "logged out"),
        "reused" => ("令牌重复使用", "token used twice"),
        _ => return removal_word(lang, word),
    };
    Some(pick(lang, zh, en))
}

fn removal_word(lang: Lang, word: &str) -> Option<&'static str> {
    use crate::protocol::moderation::RemovalReason;
    RemovalReason::parse(word).map(|reason| removal_reason(lang, reason))
}

/// Returns the reason for which a picture was removed, in words.
#[must_use]
pub fn removal_reason(
    lang: Lang,
    reason: crate::protocol::moderation::RemovalReason,
) -> &'static str {
    use crate::protocol::moderation::RemovalReason;
    let (zh, en) = match reason {
        RemovalReason::Nudity => ("裸露或色情内容", "Nudity or sexual content"),
        RemovalReason::Violence => ("暴力或威胁", "Violence or threats"),
        RemovalReason::Hate => ("仇恨或骚扰", "Hate or harassment"),
        RemovalReason::Privacy => ("泄露他人个人信息", "Personal data of another person"),
        RemovalReason::Copyright => {
            ("未经许可使用他人作品", "Someone else's work, used without permission")
        }
        RemovalReason::Spam => ("广告或欺诈", "Advertising or fraud"),
        RemovalReason::Other => ("其他原因", "Another reason"),
    };
    pick(lang, zh, en)
}

const fn pick(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        audit::{EVENTS, OUTCOMES},
        moderation::RemovalReason,
    };

    #[test]
    fn every_event_outcome_and_reason_has_words_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            assert!(EVENTS.iter().all(|event| event_text(lang, event).is_some()));
            assert!(OUTCOMES.iter().all(|outcome| outcome_text(lang, outcome).is_some()));
            for reason in RemovalReason::ALL {
                assert_eq!(detail_text(lang, reason.as_str()), removal_reason(lang, reason));
            }
        }
        assert_eq!((event_text(Lang::En, "later"), outcome_text(Lang::En, "later")), (None, None));
    }

    #[test]
    fn detail_text_translates_known_words_and_keeps_others() {
        for (detail, en, zh) in [
            ("nickname, email", "nickname, email", "昵称、邮箱"),
            (
                "admin by the command line",
                "administrator, on the command line",
                "管理员，通过命令行",
            ),
            ("file other", "file, reason: Another reason", "文件，原因：其他原因"),
            ("by the command line", "on the command line", "通过命令行"),
            ("ended_elsewhere", "ended from elsewhere", "从别处结束"),
            ("key-1", "key-1", "key-1"),
            ("", "", ""),
        ] {
            assert_eq!(detail_text(Lang::En, detail), en);
            assert_eq!(detail_text(Lang::Zh, detail), zh);
        }
    }
}
