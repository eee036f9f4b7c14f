//! Composition of messages (RFC 5322, RFC 2046).

use std::time::{Duration, SystemTime};

use app::i18n::{
    Lang,
    mail::{Mail, MailSite},
};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use crate::domain::email_address::EmailAddress;

/// A mail to one recipient, before it is composed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub(super) id: Uuid,
    /// E-mail address as it was typed.
    pub(super) recipient: &'a str,
    pub(super) lang: Lang,
    pub(super) mail: &'a Mail,
    /// Seconds of Unix time.
    pub(super) created_at: i64,
}

/// Error of composing a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ComposeError {
    #[error("the recipient is no e-mail address")]
    Recipient,
    #[error("the message cannot be encoded")]
    Encoding,
}

/// Composes a message with plain text and HTML. `Auto-Submitted` keeps vacation notices and other
/// robots from replying (RFC 3834 §5).
pub(super) fn compose(
    draft: Draft<'_>,
    from: &Mailbox,
    site: &MailSite,
) -> Result<Message, ComposeError> {
    // Parsed, so that neither line breaks nor further addresses reach the envelope or the header.
    let recipient =
        EmailAddress::parse(draft.recipient).map_err(|_| ComposeError::Recipient)?.deliverable();
    let to: Address = recipient.parse().map_err(|_| ComposeError::Recipient)?;
    let rendered = draft.mail.render(draft.lang, site);
    let since = Duration::from_secs(draft.created_at.max(0).unsigned_abs());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let language = HeaderName::new_from_ascii_str("Content-Language");
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(rendered.subject)
        .date(SystemTime::UNIX_EPOCH + since)
        // The same in a second copy, if a crash causes one.
        .message_id(Some(format!("<{}@{}>", draft.id, from.email.domain())))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(language, draft.lang.tag().to_owned()))
        .multipart(MultiPart::alternative_plain_html(rendered.text, rendered.html))
        .map_err(|_| ComposeError::Encoding)
}

#[cfg(test)]
mod tests {
    use app::i18n::mail::{CodeParts, Secret};

    use super::*;

    fn site(name: &str) -> MailSite {
        MailSite {
            name: name.to_owned(),
            url: "https://accounts.example".to_owned(),
            support_url: None,
        }
    }

    fn composed(
        recipient: &str,
        lang: Lang,
        mail: &Mail,
        name: &str,
    ) -> Result<String, ComposeError> {
        let from = format!("\"{name}\" <no-reply@accounts.example>").parse().unwrap();
        let draft =
            Draft { id: Uuid::from_u128(7), recipient, lang, mail, created_at: 1_800_000_000 };
        let message = compose(draft, &from, &site(name))?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    /// The header, with folded lines joined.
    fn header(message: &str) -> Vec<String> {
        let head = message.split("\r\n\r\n").next().unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn compose_writes_header_and_both_forms_of_the_text() {
        let code = CodeParts { token: Secret("tok-1".into()), digits: Secret("12345678".into()) };
        let mail = Mail::VerifyAddress(code);
        let message = composed("Ada@Example.com", Lang::En, &mail, "Gatehouse").unwrap();
        let header = header(&message);
        for line in [
            "To: Ada@example.com",
            "Subject: Gatehouse: Confirm your email address",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Message-ID: <00000000-0000-0000-0000-000000000007@accounts.example>",
            "Auto-Submitted: auto-generated",
            "Content-Language: en",
            "MIME-Version: 1.0",
        ] {
            assert!(header.iter().any(|found| found == line), "{line}: {header:#?}");
        }
        assert!(message.contains("multipart/alternative"));
        assert!(message.contains("text/plain; charset=utf-8"));
        assert!(message.contains("text/html; charset=utf-8"));
        assert!(message.contains("https://accounts.example/verify#tok-1"), "{message}");
        assert!(message.lines().all(|line| line.len() <= 998), "RFC 5322 §2.1.1");
    }

    #[test]
    fn invariant_53_line_breaks_in_address_or_names_add_no_header() {
        for recipient in [
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com, eve@example.com",
            "\"ada\r\nBcc: eve\"@example.com",
            "ada@example.com\nX: y",
            "<ada@example.com>",
            "ada",
        ] {
            let composed = composed(recipient, Lang::En, &Mail::Test, "Gatehouse");
            assert_eq!(composed, Err(ComposeError::Recipient), "{recipient:?}");
        }
        // The settings reject such a name; the subject would be safe without that.
        let from = "no-reply@accounts.example".parse().unwrap();
        let draft = Draft {
            id: Uuid::nil(),
            recipient: "ada@example.com",
            lang: Lang::En,
            mail: &Mail::Test,
            created_at: 0,
        };
        let site = site("Gate\r\nBcc: eve@example.com");
        let message = compose(draft, &from, &site).unwrap().formatted();
        let message = String::from_utf8(message).unwrap();
        let header = header(&message);
        assert!(header.iter().all(|line| !line.starts_with("Bcc")), "{header:#?}");
    }

    #[test]
    fn compose_for_an_international_domain_uses_its_ascii_form() {
        let message = composed("ada@例子.测试", Lang::Zh, &Mail::Test, "账户中心").unwrap();
        let header = header(&message);
        assert!(header.contains(&"To: ada@xn--fsqu00a.xn--0zwm56d".to_owned()), "{header:#?}");
        assert!(message.is_ascii(), "header and body are encoded");
    }
}
