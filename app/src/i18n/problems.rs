//! Texts of validation problems, used by forms and in the `fields` member of API errors.

use super::Lang;
use crate::validation::Problem;
#[cfg(feature = "ssr")]
use crate::validation::ServerProblem;

impl Problem {
    /// The problem's text in a language.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        let texts = match self {
            Self::UsernameMissing => ("请输入邮箱或用户名", "Enter your email or username"),
            Self::UsernameTooShort => ("用户名至少需要 3 个字符", "Use at least 3 characters"),
            Self::UsernameTooLong => ("用户名最多 32 个字符", "Use at most 32 characters"),
            Self::UsernameCharacters => (
                "用户名只能包含汉字、字母、数字、点、下划线和连字符，并以汉字、字母或数字开头",
                "Use letters, digits, dots, underscores and hyphens; start with a letter or digit",
            ),
            Self::EmailInvalid => ("请输入有效的邮箱地址", "Enter a valid email address"),
            Self::EmailTooLong => {
                ("邮箱地址最多 254 个字符", "Email addresses can have at most 254 characters")
            }
            Self::MobileInvalid => (
                "请输入 11 位手机号，或带国家代码的号码，例如 +49 151 2345 6789",
                "Enter the number with its country code, such as +1 202 555 0123",
            ),
            Self::PasswordMissing => ("请输入密码", "Enter your password"),
            Self::NewPasswordMissing => ("请设置新密码", "Choose a new password"),
            Self::PasswordTooShort { min } => {
                return match lang {
                    Lang::Zh => format!("密码至少需要 {min} 个字符"),
                    Lang::En => format!("Use at least {min} characters"),
                };
            }
            Self::PasswordTooLong => ("密码最多 128 个字符", "Use at most 128 characters"),
            Self::PasswordIsUsername => {
                ("密码不能与用户名相同", "Choose a password that is not your username")
            }
            Self::PasswordLikeUsername => (
                "密码不能与用户名过于相似",
                "Choose a password that is less similar to your username",
            ),
            Self::UsernameMismatch => ("请输入您的用户名以确认", "Type your username to confirm"),
            Self::PasswordMismatch => ("两次密码不一致", "Passwords don't match"),
            Self::NicknameTooLong => ("昵称最多 64 个字符", "Use at most 64 characters"),
            Self::NicknameCharacters => {
                ("昵称不能包含控制字符", "Control characters are not allowed")
            }
            #[cfg(feature = "ssr")]
            Self::Server(problem) => return problem.text(lang),
        };
        in_language(lang, texts)
    }
}

#[cfg(feature = "ssr")]
impl ServerProblem {
    fn text(self, lang: Lang) -> String {
        let texts = match self {
            Self::UsernameScripts => (
                "用户名的字母必须属于同一种文字",
                "Use letters of a single script, such as Latin or Cyrillic",
            ),
            Self::UsernameReserved => {
                ("该用户名已被保留，请换一个", "This username is reserved, please choose another")
            }
            Self::PasswordCommon => ("这个密码太常见，容易被猜到", "This password is too common"),
            Self::PasswordWrong => ("密码错误", "Wrong password"),
            Self::ImageFormat => {
                ("请选择 JPEG、PNG 或 WebP 图片", "Choose a JPEG, PNG or WebP picture")
            }
            Self::ImageBytes => ("图片最大 5 MB", "Pictures can be at most 5 MB"),
            Self::ImagePixels => (
                "图片最多 2400 万像素，每边最多 16384 像素",
                "A picture has at most 24 megapixels, and 16,384 pixels a side",
            ),
            Self::ImageMemory => (
                "读取这张图片需要太多内存，请缩小图片，或另存为普通（非渐进式）JPEG",
                "Reading this picture takes too much memory: make it smaller, or save it as a plain (not progressive) JPEG",
            ),
            Self::ImageDamaged => {
                ("这张图片已损坏，无法读取", "This picture is damaged and cannot be read")
            }
            Self::FilesQuotaExceeded { bytes } => {
                let megabytes = bytes / 1_000_000;
                return match lang {
                    Lang::Zh => format!("您的文件最多可占用 {megabytes} MB，请先删除一些"),
                    Lang::En => {
                        format!("Your files may take up {megabytes} MB: delete some of them first")
                    }
                };
            }
            Self::FilesCountExceeded { max } => {
                return match lang {
                    Lang::Zh => format!("最多可保存 {max} 个文件，请先删除一些"),
                    Lang::En => {
                        format!("You can keep at most {max} files: delete some of them first")
                    }
                };
            }
            Self::IdMissing => ("请给出账户 ID", "Enter the account ID"),
            Self::SortUnknown => (
                "只能按 created_at、-created_at、username、-username 排序",
                "Sort by created_at, -created_at, username or -username",
            ),
            Self::RoleUnknown => ("角色只能是 user 或 admin", "The role is user or admin"),
            Self::StatusUnknown => {
                ("状态只能是 active 或 disabled", "The status is active or disabled")
            }
            Self::EventUnknown => ("没有这种事件", "There is no such event"),
            Self::OutcomeUnknown => ("没有这种结果", "There is no such outcome"),
            Self::TimeInvalid => ("请给出 Unix 时间（秒）", "Enter a Unix time in seconds"),
            Self::AccountUnknown => ("没有这个用户", "There is no such user"),
            Self::ReasonMissing => ("请选择原因", "Choose a reason"),
            Self::ExplanationMissing => ("请说明原因", "Explain the reason"),
            Self::ExplanationTooLong { max } => {
                return match lang {
                    Lang::Zh => format!("最多 {max} 个字符"),
                    Lang::En => format!("Use at most {max} characters"),
                };
            }
            Self::CursorInvalid => (
                "这不是此列表某一页的起点，请从头开始",
                "This page does not exist; start from the first page",
            ),
            Self::LimitOutOfRange { max } => {
                return match lang {
                    Lang::Zh => format!("每页条数应为 1 到 {max}"),
                    Lang::En => format!("Page size must be 1 to {max}"),
                };
            }
            Self::DisableOwnAccount => {
                ("不能停用您自己的账户", "You cannot disable your own account")
            }
        };
        in_language(lang, texts)
    }
}

fn in_language(lang: Lang, (zh, en): (&str, &str)) -> String {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
    .to_owned()
}
