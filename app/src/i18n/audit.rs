//! Texts of the audit log: events, outcomes and details in words. In the chunk of the pages that
//! require authentication, like `authenticated.rs`.

use super::Lang;

/// Returns an event in words; [`None`] for an event of a newer server.
#[must_use]
pub fn event_text(lang: Lang, event: &str) -> Option<&'static str> {
    let (zh, en) = match event {
        "registered" => ("注册了账户", "Registered"),
        "logged_in" => ("登录", "Login"),
        "refreshed" => ("会话续期失败", "Session renewal failed"),
        "refresh_reused" => ("令牌被重复使用，会话已结束", "Token used twice, session ended"),
        "logged_out" => ("登出", "Logged out"),
        "session_revoked" => ("会话被结束", "Session ended"),
        "key_rotated" => ("创建了签名密钥", "Signing key created"),
        "key_retired" => ("移除了签名密钥", "Signing key removed"),
        "profile_changed" => ("更改了个人资料", "Profile changed"),
        "password_changed" => ("更改密码", "Password change"),
        "reauthenticated" => ("再次确认密码", "Password confirmation"),
        "new_device" => ("从新设备登录", "Login from a new device"),
        "exported" => ("下载了账户数据", "Account data downloaded"),
        "account_deleted" => ("账户已删除", "Account deleted"),
        "user_created" => ("创建了账户", "Account created"),
        "user_disabled" => ("账户被停用", "Account disabled"),
        "user_enabled" => ("账户被恢复", "Account enabled"),
        "role_changed" => ("角色被更改", "Role changed"),
        "change_refused" => ("更改过于频繁，已拒绝", "Too many changes, refused"),
        "pictures_viewed" => ("图片被管理员查看", "Pictures viewed by an administrator"),
        "picture_removed" => ("图片被管理员移除", "Picture removed by an administrator"),
        "alert_undone" => ("通过提醒邮件声明“不是我本人操作”", "\"It was not me\" of an alert"),
        "mail_failed" => ("邮件发送失败", "Message could not be sent"),
        "address_verified" => ("验证了邮箱地址", "Email address verified"),
        "address_lost" => (
            "邮箱地址归另一个账户所有，用户名已更换",
            "Address belongs to another account, renamed",
        ),
        "reset_requested" => ("请求重置密码", "Password reset requested"),
        "password_reset" => ("重置了密码", "Password reset"),
        "verification_sent" => ("发送了验证邮件", "Verification requested"),
        "invitation_created" => ("创建了邀请", "Invitation created"),
        "invitation_revoked" => ("撤销了邀请", "Invitation revoked"),
        _ => return None,
    };
    Some(pick(lang, zh, en))
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
        "admin" => ("管理员", "administrator"),
        "user" => ("普通用户", "member"),
        "disabled" => ("账户已停用", "account disabled"),
        "ended_elsewhere" => ("从别处结束", "ended from elsewhere"),
        "password_changed" => ("密码已更改", "password changed"),
        "logged_out" => ("已登出", "logged out"),
        "reused" => ("令牌被重复使用", "token used twice"),
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
                "administrator by the command line",
                "管理员 by the command line",
            ),
            ("ended_elsewhere", "ended from elsewhere", "从别处结束"),
            ("key-1", "key-1", "key-1"),
            ("", "", ""),
        ] {
            assert_eq!(detail_text(Lang::En, detail), en);
            assert_eq!(detail_text(Lang::Zh, detail), zh);
        }
    }
}
