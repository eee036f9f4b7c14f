//! Mails: their kinds and texts. Only the server knows them.
//!
//! Plain text and HTML are rendered from the same blocks, so that they say the same. There is no
//! remote content and no tracking: the only links are those of the site.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::{Lang, html::escape};

/// A secret that a mail carries to its recipient. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A one-time code as a mail carries it: the token of the link, and the digits to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeParts {
    /// Token of the link.
    pub token: Secret,
    /// Eight digits.
    pub digits: Secret,
}

/// Time and client of an event that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Time as text, with its time zone: `2026-11-26 03:00 UTC`.
    pub at: String,
    /// Browser by name.
    pub browser: Option<String>,
    /// Operating system by name.
    pub system: Option<String>,
    /// IP address of the client.
    pub address: Option<String>,
}

/// Event that an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A login from a device that is new to the account.
    NewDevice,
    /// The password was changed or reset.
    PasswordChanged,
    /// Another e-mail address has replaced that of the recipient.
    AddressChanged,
    /// The e-mail address of the recipient was removed.
    AddressRemoved,
    /// An administrator has disabled the account.
    AccountDisabled,
    /// The data of the account were downloaded.
    DataExported,
}

/// A notice to the owner of an account that something has happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The event.
    pub kind: AlertKind,
    /// Username of the account.
    pub username: String,
    /// Time and client. The client of an administrator is left out.
    pub occurrence: Occurrence,
    /// Token of the link "It was not me"; [`None`] where the owner of the account cannot undo it.
    pub undo: Option<Secret>,
}

/// A mail with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// Asks the recipient to confirm the address that an account claims.
    VerifyAddress(CodeParts),
    /// Lets the recipient choose a new password.
    ResetPassword {
        /// Username of the account.
        username: String,
        /// The code.
        code: CodeParts,
    },
    /// Asks the recipient to confirm the address that is to replace the one of an account.
    ChangeAddress(CodeParts),
    /// Tells the owner of an account what has happened to it.
    Alert(Alert),
    /// Invites the recipient to register.
    Invitation {
        /// Token of the link.
        token: Secret,
    },
    /// Proves that mail is set up.
    Test,
}

/// The site that a mail comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSite {
    /// Name of the site.
    pub name: String,
    /// Origin of the links, without a slash at the end.
    pub url: String,
    /// Help for users: `https://` or `mailto:`.
    pub support_url: Option<String>,
}

/// A mail in a language.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// Subject, one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML document.
    pub html: String,
}

/// Part of a mail.
enum Block {
    Paragraph(String),
    /// A link as a button, and in full below it.
    Link {
        label: &'static str,
        url: String,
    },
    /// A code to type.
    Digits(String),
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
}

use Block::{Digits, Facts, Link, Paragraph};

impl AlertKind {
    /// All variants.
    pub const ALL: [Self; 6] = [
        Self::NewDevice,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::AddressRemoved,
        Self::AccountDisabled,
        Self::DataExported,
    ];
}

impl Mail {
    /// Kinds of all mails.
    pub const KINDS: [&str; 11] = [
        "verify_address",
        "reset_password",
        "change_address",
        "new_device",
        "password_changed",
        "address_changed",
        "address_removed",
        "account_disabled",
        "data_exported",
        "invitation",
        "test",
    ];

    /// Kind of the mail: one of [`Mail::KINDS`].
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyAddress(_) => "verify_address",
            Self::ResetPassword { .. } => "reset_password",
            Self::ChangeAddress(_) => "change_address",
            Self::Alert(alert) => match alert.kind {
                AlertKind::NewDevice => "new_device",
                AlertKind::PasswordChanged => "password_changed",
                AlertKind::AddressChanged => "address_changed",
                AlertKind::AddressRemoved => "address_removed",
                AlertKind::AccountDisabled => "account_disabled",
                AlertKind::DataExported => "data_exported",
            },
            Self::Invitation { .. } => "invitation",
            Self::Test => "test",
        }
    }

    /// Renders the mail in a language.
    #[must_use]
    pub fn render(&self, lang: Lang, site: &MailSite) -> RenderedMail {
        let (title, blocks) = self.content(lang, site);
        let footer = footer(lang, site);
        RenderedMail {
            subject: match lang {
                Lang::Zh => format!("{}：{title}", site.name),
                Lang::En => format!("{}: {title}", site.name),
            },
            text: text(lang, &blocks, &footer),
            html: html(lang, title, &blocks, &footer),
        }
    }

    /// Returns title and blocks.
    fn content(&self, lang: Lang, site: &MailSite) -> (&'static str, Vec<Block>) {
        let t = |zh: &'static str, en: &'static str| pick(lang, zh, en);
        let p = |zh: &str, en: &str| Paragraph(pick(lang, zh, en).to_owned());
        let code = |label, path: &str, parts: &CodeParts| {
            [
                Link { label, url: link(site, path, &parts.token) },
                p(
                    "也可以在发起请求的浏览器中输入此验证码：",
                    "Or type this code in the browser in which you asked for it:",
                ),
                Digits(parts.digits.0.clone()),
            ]
        };
        match self {
            Self::VerifyAddress(parts) => {
                let mut blocks = vec![Paragraph(match lang {
                    Lang::Zh => format!("有人在 {} 填写了此邮箱地址。请确认它属于您。", site.name),
                    Lang::En => format!(
                        "This email address was entered at {}. Please confirm that it is yours.",
                        site.name
                    ),
                })];
                blocks.extend(code(t("确认邮箱地址", "Confirm address"), "verify", parts));
                blocks.push(p(
                    "链接和验证码在 24 小时内有效，且只能使用一次。如果不是您填写的，请忽略此邮件：未经确认，该地址不会用于任何账户。",
                    "Link and code are valid for 24 hours and work once. If you did not enter it, ignore this message: without your \
                     confirmation no account can use the address.",
                ));
                (t("请确认您的邮箱地址", "Confirm your email address"), blocks)
            }
            Self::ResetPassword { username, code: parts } => {
                let mut blocks = vec![Paragraph(match lang {
                    Lang::Zh => {
                        format!("我们收到了为 {} 的账户 {username} 重置密码的请求。", site.name)
                    }
                    Lang::En => format!(
                        "We were asked to reset the password of the account {username} at {}.",
                        site.name
                    ),
                })];
                blocks.extend(code(t("设置新密码", "Choose a new password"), "reset", parts));
                blocks.push(p(
                    "链接和验证码在 30 分钟内有效，且只能使用一次。如果不是您本人操作，请忽略此邮件：您的密码不会改变。",
                    "Link and code are valid for 30 minutes and work once. If you did not ask for this, ignore this message: your \
                     password stays as it is.",
                ));
                (t("重置密码", "Reset your password"), blocks)
            }
            Self::ChangeAddress(parts) => {
                let mut blocks = vec![Paragraph(match lang {
                    Lang::Zh => {
                        format!("{} 的一个账户要将邮箱改为此地址。请确认它属于您。", site.name)
                    }
                    Lang::En => format!(
                        "An account at {} is to use this email address from now on. Please confirm that it is yours.",
                        site.name
                    ),
                })];
                blocks.extend(code(t("确认新邮箱", "Confirm new address"), "verify", parts));
                blocks.push(p(
                    "链接和验证码在 1 小时内有效，且只能使用一次。在您确认之前，原邮箱保持不变。如果不是您本人操作，请忽略此邮件。",
                    "Link and code are valid for 1 hour and work once. Until you confirm it, nothing changes. If you did not ask for \
                     this, ignore this message.",
                ));
                (t("请确认新的邮箱地址", "Confirm your new email address"), blocks)
            }
            Self::Alert(alert) => alert.content(lang, site),
            Self::Invitation { token } => (
                t("注册邀请", "You are invited to register"),
                vec![
                    Paragraph(match lang {
                        Lang::Zh => format!("{} 的管理员邀请您注册账户。", site.name),
                        Lang::En => format!(
                            "An administrator of {} invites you to create an account.",
                            site.name
                        ),
                    }),
                    Link {
                        label: t("注册账户", "Create account"),
                        url: link(site, "register", token),
                    },
                    p(
                        "邀请在 7 天内有效，且只能使用一次。如果您不想注册，请忽略此邮件。",
                        "The invitation is valid for 7 days and works once. If you do not want an account, ignore this message.",
                    ),
                ],
            ),
            Self::Test => (
                t("测试邮件", "Test message"),
                vec![Paragraph(match lang {
                    Lang::Zh => format!("{} 的邮件发送设置有效。", site.name),
                    Lang::En => format!("The mail settings of {} work.", site.name),
                })],
            ),
        }
    }
}

impl Alert {
    fn content(&self, lang: Lang, site: &MailSite) -> (&'static str, Vec<Block>) {
        let t = |zh: &'static str, en: &'static str| pick(lang, zh, en);
        let name = &self.username;
        let (title, sentence) = match self.kind {
            AlertKind::NewDevice => (
                t("您的账户从新设备登录", "Login from a new device"),
                match lang {
                    Lang::Zh => format!("您的账户 {name} 刚刚从一台新设备登录。"),
                    Lang::En => {
                        format!(
                            "Your account {name} was logged in to from a device that is new to it."
                        )
                    }
                },
            ),
            AlertKind::PasswordChanged => (
                t("密码已更改", "Your password was changed"),
                match lang {
                    Lang::Zh => format!("您的账户 {name} 的密码已更改。"),
                    Lang::En => format!("The password of your account {name} was changed."),
                },
            ),
            AlertKind::AddressChanged => (
                t("邮箱地址已更改", "Your email address was changed"),
                match lang {
                    Lang::Zh => {
                        format!("您的账户 {name} 已改用其他邮箱地址。此地址不再属于该账户。")
                    }
                    Lang::En => format!(
                        "Your account {name} uses another email address now. This one does not belong to it anymore."
                    ),
                },
            ),
            AlertKind::AddressRemoved => (
                t("邮箱地址已移除", "Your email address was removed"),
                match lang {
                    Lang::Zh => format!("此邮箱地址已从您的账户 {name} 中移除。"),
                    Lang::En => {
                        format!("This email address was removed from your account {name}.")
                    }
                },
            ),
            AlertKind::AccountDisabled => (
                t("账户已停用", "Your account was disabled"),
                match lang {
                    Lang::Zh => format!("管理员已停用您的账户 {name}，您暂时无法登录。"),
                    Lang::En => format!(
                        "An administrator has disabled your account {name}. You cannot log in for now."
                    ),
                },
            ),
            AlertKind::DataExported => (
                t("账户数据已下载", "Your account data were downloaded"),
                match lang {
                    Lang::Zh => format!("您的账户 {name} 的全部数据刚刚被下载。"),
                    Lang::En => format!("All data of your account {name} were downloaded."),
                },
            ),
        };
        let mut blocks = vec![Paragraph(sentence), Facts(self.occurrence.facts(lang))];
        if let Some(token) = &self.undo {
            let remedy = match self.kind {
                AlertKind::AddressChanged | AlertKind::AddressRemoved => t(
                    "如果是您本人操作，则无需处理。如果不是，请点击下面的按钮：此地址将恢复，所有设备将退出登录，您将收到重置密码的邮件。",
                    "If it was you, there is nothing to do. If not, use the button: this address is restored, all devices are logged \
                     out, and you get a message to choose a new password.",
                ),
                _ => t(
                    "如果是您本人操作，则无需处理。如果不是，请点击下面的按钮：所有设备将退出登录，您将收到重置密码的邮件。",
                    "If it was you, there is nothing to do. If not, use the button: all devices are logged out, and you get a message \
                     to choose a new password.",
                ),
            };
            blocks.push(Paragraph(remedy.to_owned()));
            blocks.push(Link {
                label: t("不是我本人操作", "It was not me"),
                url: link(site, "undo", token),
            });
            blocks.push(Paragraph(
                t("此链接在 72 小时内有效。", "The link is valid for 72 hours.").to_owned(),
            ));
        } else {
            let help = t(
                "如有疑问，请联系管理员。",
                "If you think that this is a mistake, please contact an administrator.",
            );
            blocks.push(Paragraph(help.to_owned()));
        }
        (title, blocks)
    }
}

impl Occurrence {
    fn facts(&self, lang: Lang) -> Vec<(&'static str, String)> {
        let device = match (&self.browser, &self.system) {
            (Some(browser), Some(system)) => Some(match lang {
                Lang::Zh => format!("{browser}（{system}）"),
                Lang::En => format!("{browser} on {system}"),
            }),
            (Some(only), None) | (None, Some(only)) => Some(only.clone()),
            (None, None) => None,
        };
        let mut facts = vec![(pick(lang, "时间", "Time"), self.at.clone())];
        facts.extend(device.map(|device| (pick(lang, "设备", "Device"), device)));
        let address = self.address.clone();
        facts.extend(address.map(|address| (pick(lang, "IP 地址", "IP address"), address)));
        facts
    }
}

/// Returns a link with a token. The token is in the fragment, which browsers keep to themselves:
/// neither servers and proxies nor programs that look at the links of mails get to see it.
fn link(site: &MailSite, path: &str, token: &Secret) -> String {
    format!("{}/{path}#{}", site.url, token.0)
}

fn footer(lang: Lang, site: &MailSite) -> Vec<String> {
    let mut lines = vec![match lang {
        Lang::Zh => {
            format!("此邮件由 {}（{}）自动发送，请勿直接回复。", site.name, site.url)
        }
        Lang::En => format!(
            "This message was sent automatically by {} ({}). Replies are not read.",
            site.name, site.url
        ),
    }];
    lines.extend(site.support_url.as_ref().map(|url| {
        let url = url.strip_prefix("mailto:").unwrap_or(url);
        match lang {
            Lang::Zh => format!("帮助：{url}"),
            Lang::En => format!("Help: {url}"),
        }
    }));
    lines
}

fn text(lang: Lang, blocks: &[Block], footer: &[String]) -> String {
    let colon = pick(lang, "：", ": ");
    let mut text = String::new();
    for block in blocks {
        match block {
            Paragraph(sentences) => push_line(&mut text, sentences),
            Link { label, url } => {
                push_line(&mut text, label);
                push_line(&mut text, url);
            }
            Digits(digits) => push_line(&mut text, &format!("    {}", grouped(digits))),
            Facts(facts) => {
                for (name, value) in facts {
                    push_line(&mut text, &format!("    {name}{colon}{value}"));
                }
            }
        }
        text.push('\n');
    }
    push_line(&mut text, "-- ");
    for line in footer {
        push_line(&mut text, line);
    }
    text
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Styles are inline: mail programs drop style sheets.
fn html(lang: Lang, title: &str, blocks: &[Block], footer: &[String]) -> String {
    let title = escape(title);
    let mut body = format!("<h1 style=\"font-size:20px\">{title}</h1>\n");
    for block in blocks {
        // Writing to a string does not fail.
        let _ = match block {
            Paragraph(sentences) => writeln!(body, "<p>{}</p>", escape(sentences)),
            Link { label, url } => {
                let (label, url) = (escape(label), escape(url));
                writeln!(
                    body,
                    "<p><a href=\"{url}\" style=\"display:inline-block;padding:10px 20px;border-radius:8px;background:#00696c;\
                     color:#ffffff;text-decoration:none\">{label}</a></p>\n\
                     <p style=\"font-size:13px;word-break:break-all\">{url}</p>"
                )
            }
            Digits(digits) => writeln!(
                body,
                "<p style=\"font-size:24px;letter-spacing:2px;font-family:monospace\">{}</p>",
                escape(&grouped(digits))
            ),
            Facts(facts) => {
                let rows = facts.iter().map(|(name, value)| {
                    format!(
                        "<tr><th scope=\"row\" style=\"padding:2px 16px 2px 0;text-align:left;font-weight:normal\">{}</th>\
                         <td>{}</td></tr>",
                        escape(name),
                        escape(value)
                    )
                });
                writeln!(body, "<table>{}</table>", rows.collect::<String>())
            }
        };
    }
    let footer: Vec<_> = footer.iter().map(|line| escape(line)).collect();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body style=\"margin:0 auto;padding:24px;max-width:560px;font-family:system-ui,sans-serif;line-height:1.5\">\n\
         <main>\n{body}</main>\n<hr>\n<footer>\n<p style=\"font-size:13px\">{}</p>\n</footer>\n</body>\n</html>\n",
        lang.tag(),
        footer.join("<br>")
    )
}

/// Groups digits by four.
fn grouped(digits: &str) -> String {
    match digits.split_at_checked(4) {
        Some((first, rest)) if !rest.is_empty() => format!("{first} {rest}"),
        _ => digits.to_owned(),
    }
}

const fn pick<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> MailSite {
        MailSite {
            name: "Gatehouse".to_owned(),
            url: "https://accounts.example".to_owned(),
            support_url: Some("mailto:help@example.com".to_owned()),
        }
    }

    fn code() -> CodeParts {
        CodeParts { token: Secret("tok-en_1".to_owned()), digits: Secret("12345678".to_owned()) }
    }

    fn alert(kind: AlertKind) -> Mail {
        Mail::Alert(Alert {
            kind,
            username: "ada".to_owned(),
            occurrence: Occurrence {
                at: "2026-11-26 03:00 UTC".to_owned(),
                browser: Some("Firefox".to_owned()),
                system: Some("Linux".to_owned()),
                address: Some("192.0.2.7".to_owned()),
            },
            undo: (kind != AlertKind::AccountDisabled).then(|| Secret("tok-en_1".to_owned())),
        })
    }

    /// All mails, in the order of [`Mail::KINDS`].
    fn all() -> Vec<Mail> {
        let mut all = vec![
            Mail::VerifyAddress(code()),
            Mail::ResetPassword { username: "ada".to_owned(), code: code() },
            Mail::ChangeAddress(code()),
        ];
        all.extend(AlertKind::ALL.map(alert));
        all.extend([Mail::Invitation { token: Secret("tok-en_1".to_owned()) }, Mail::Test]);
        all
    }

    #[test]
    fn kind_of_every_mail_is_listed() {
        assert_eq!(all().iter().map(Mail::kind).collect::<Vec<_>>(), Mail::KINDS);
    }

    #[test]
    fn render_in_either_language_has_link_and_digits_in_text_and_html() {
        let is_han = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
        for mail in all() {
            for lang in [Lang::Zh, Lang::En] {
                let RenderedMail { subject, text, html } = mail.render(lang, &site());
                let path = match &mail {
                    Mail::VerifyAddress(_) | Mail::ChangeAddress(_) => Some("verify"),
                    Mail::ResetPassword { .. } => Some("reset"),
                    Mail::Alert(alert) => alert.undo.as_ref().map(|_| "undo"),
                    Mail::Invitation { .. } => Some("register"),
                    Mail::Test => None,
                };
                let link = path.map(|path| format!("https://accounts.example/{path}#tok-en_1"));
                for body in [&text, &html] {
                    assert_eq!(body.contains("#tok-en_1"), link.is_some(), "{body}");
                    assert!(link.as_ref().is_none_or(|link| body.contains(link)), "{body}");
                    assert!(body.contains("help@example.com"), "{body}");
                    let has_digits = matches!(
                        mail,
                        Mail::VerifyAddress(_)
                            | Mail::ChangeAddress(_)
                            | Mail::ResetPassword { .. }
                    );
                    assert_eq!(body.contains("1234 5678"), has_digits, "{body}");
                    if let Mail::Alert(_) = mail {
                        for fact in ["ada", "2026-11-26 03:00 UTC", "Firefox", "192.0.2.7"] {
                            assert!(body.contains(fact), "{fact}: {body}");
                        }
                    }
                    assert_eq!(body.contains(is_han), lang == Lang::Zh, "{body}");
                }
                assert_eq!(subject.contains(is_han), lang == Lang::Zh, "{subject}");
                assert!(!subject.contains(['\r', '\n']), "{subject}");
                // Nothing is loaded from elsewhere.
                assert!(!html.contains("src="), "{html}");
                assert!(!html.contains("url("), "{html}");
            }
        }
    }

    #[test]
    fn render_with_markup_in_a_name_escapes_it() {
        let mail = Mail::ResetPassword { username: "<a href='x'>&\"".to_owned(), code: code() };
        let html = mail.render(Lang::En, &site()).html;
        assert!(html.contains("&lt;a href=&#39;x&#39;&gt;&amp;&quot;"), "{html}");
    }

    #[test]
    fn debug_of_a_mail_shows_no_secret() {
        for mail in all() {
            let shown = format!("{mail:?}");
            assert!(!shown.contains("tok-en_1") && !shown.contains("12345678"), "{shown}");
        }
    }
}
