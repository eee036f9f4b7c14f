//! Settings of mail.

use std::{net::IpAddr, path::PathBuf};

use app::i18n::mail::MailSite;
use axum::http::Uri;
use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};
use secrecy::SecretString;

/// Settings of mail.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Destination of messages.
    pub transport: MailTransport,
    /// Sender.
    pub from: Mailbox,
    /// The site, for texts and links.
    pub site: MailSite,
}

/// Destination of messages.
#[derive(Clone, Debug)]
pub enum MailTransport {
    /// A mail server.
    Smtp(SmtpRelay),
    /// A folder, for development and tests: a file `.eml` for each message.
    Folder(PathBuf),
}

/// A mail server that takes messages for any recipient.
#[derive(Clone, Debug)]
pub struct SmtpRelay {
    /// URL as `lettre` takes it, with name and password.
    pub url: SecretString,
    /// Host and port, for the log.
    pub host: String,
    /// True if TLS is required.
    pub is_encrypted: bool,
    /// True if it is on this machine.
    pub is_local: bool,
}

impl MailTransport {
    /// Parses `smtp://user:password@host:587`, `smtps://…` or `folder:path`.
    ///
    /// # Errors
    ///
    /// A message that names the remedy, without the password: also if a server that is not on this
    /// machine is to be used without TLS.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("folder:") {
            return match path {
                "" => Err("the folder has no name; it is folder:path".to_owned()),
                path => Ok(Self::Folder(PathBuf::from(path))),
            };
        }
        // The text may contain a password: no message repeats it.
        let form = || {
            "it is smtp://user:password@host:587, smtps://user:password@host:465 or folder:path; characters of user and password \
             other than letters, digits and -._~ are written as percent and two hexadecimal digits"
                .to_owned()
        };
        let uri: Uri = text.parse().map_err(|_| form())?;
        let (Some(scheme @ ("smtp" | "smtps")), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(form());
        };
        let is_local = is_loopback(host);
        let mut url = text.to_owned();
        let is_encrypted = match (scheme, uri.query()) {
            ("smtps", None) | ("smtp", Some("tls=required")) => true,
            ("smtp", None | Some("tls=opportunistic")) if is_local => false,
            ("smtp", None) => {
                url.push_str("?tls=required");
                true
            }
            ("smtp", Some("tls=opportunistic")) => {
                return Err(format!(
                    "mail to {host} has to be encrypted: use tls=required, or smtps"
                ));
            }
            _ => return Err(form()),
        };
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| form())?;
        let default_port = if scheme == "smtps" { 465 } else { 587 };
        let host = format!("{host}:{}", uri.port_u16().unwrap_or(default_port));
        Ok(Self::Smtp(SmtpRelay { url: SecretString::from(url), host, is_encrypted, is_local }))
    }

    /// Returns whether messages go to this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Smtp(relay) => relay.is_local,
            Self::Folder(_) => true,
        }
    }
}

/// Parses the sender: an address, or a name and an address in angle brackets.
///
/// # Errors
///
/// A message that names the remedy.
pub(crate) fn parse_sender(text: &str) -> Result<Mailbox, String> {
    let text = text.trim();
    let sender: Option<Mailbox> = text.parse().ok();
    sender.filter(|_| !text.contains(char::is_control)).ok_or_else(|| {
        format!("{text:?} is no sender such as Gatehouse <no-reply@accounts.example>")
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn relay(text: &str) -> SmtpRelay {
        match MailTransport::parse(text) {
            Ok(MailTransport::Smtp(relay)) => relay,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn parse_of_a_server_elsewhere_requires_tls() {
        for (text, url, host) in [
            ("smtp://mail.example", "smtp://mail.example?tls=required", "mail.example:587"),
            (
                "smtp://a:b%40@mail.example:25?tls=required",
                "smtp://a:b%40@mail.example:25?tls=required",
                "mail.example:25",
            ),
            ("smtps://a:b@mail.example", "smtps://a:b@mail.example", "mail.example:465"),
        ] {
            let relay = relay(text);
            assert_eq!((relay.url.expose_secret(), &*relay.host), (url, host));
            assert!(relay.is_encrypted, "{text}");
        }
    }

    #[test]
    fn parse_of_a_server_on_loopback_takes_plain_text() {
        for text in ["smtp://127.0.0.1:2525", "smtp://localhost:25", "smtp://[::1]:25"] {
            let relay = relay(text);
            assert_eq!(relay.url.expose_secret(), text);
            assert!(!relay.is_encrypted, "{text}");
        }
        assert!(relay("smtp://localhost:25?tls=required").is_encrypted);
    }

    #[test]
    fn parse_of_invalid_transport_names_the_form_and_no_password() {
        for text in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://user:pass word@mail.example",
            "smtp://user:hunter2@mail.example?tls=off",
            "smtp://user:hunter2@mail.example?tls=opportunistic",
            "smtps://user:hunter2@mail.example?tls=required",
            "folder:",
        ] {
            let error = MailTransport::parse(text).unwrap_err();
            assert!(!error.contains("hunter2") && !error.contains("pass word"), "{error}");
        }
    }

    #[test]
    fn parse_of_a_folder_takes_its_path() {
        let parsed = MailTransport::parse(" folder:/var/mail out ");
        assert!(
            matches!(&parsed, Ok(MailTransport::Folder(path)) if path.as_os_str() == "/var/mail out"),
            "{parsed:?}"
        );
    }

    #[test]
    fn parse_sender_with_line_break_or_without_address_fails() {
        for text in ["Gatehouse", "a@b.example\nBcc: c@d.example", "\"a\r\nb\" <a@b.example>", ""] {
            assert!(parse_sender(text).is_err(), "{text:?}");
        }
        let sender = parse_sender(" 账户中心 <no-reply@accounts.example> ").unwrap();
        assert_eq!(sender.email.to_string(), "no-reply@accounts.example");
        assert_eq!(sender.name.as_deref(), Some("账户中心"));
    }
}
