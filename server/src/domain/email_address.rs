//! E-mail addresses and their lookup keys. One key for all spellings: full-width characters equal
//! ASCII (NFKC), case is ignored, and both forms of an internationalised domain are equal (UTS
//! #46).

use std::borrow::Cow;

use app::validation::{Problem, username};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use super::fold;

/// Converts domains between their ASCII and Unicode forms.
const UTS46: Uts46 = Uts46::new();

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    shown: String,
    key: String,
    unicode: String,
}

impl EmailAddress {
    /// Parses an address as it was typed; surrounding white space is ignored.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes the address invalid.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        username::check_email(typed.trim())?;
        let text = narrow(typed);
        let (local, domain) = text.split_once('@').ok_or(Problem::EmailInvalid)?;
        let ascii = to_ascii(domain).ok_or(Problem::EmailInvalid)?;
        let unicode = to_unicode(&ascii);
        // The Unicode form of the domain, unless the ASCII form was typed.
        let shown = if domain.is_ascii() { text.clone() } else { format!("{local}@{unicode}") };
        let local = fold(local);
        let (key, unicode) = (format!("{local}@{ascii}"), format!("{local}@{unicode}"));
        if !username::is_email(&key) {
            return Err(Problem::EmailInvalid);
        }
        if key.len() > username::EMAIL_MAX || shown.chars().count() > username::EMAIL_MAX {
            return Err(Problem::EmailTooLong);
        }
        Ok(Self { shown, key, unicode })
    }

    /// The address for display: as it was typed, with full-width characters as ASCII and an
    /// international domain in the spelling of browsers.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The lookup key: ASCII, lower case.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The address for delivery: the local part as it was typed, of which only its host knows whether
    /// case matters, and the domain in ASCII.
    #[must_use]
    pub fn deliverable(&self) -> String {
        let local = self.shown.split_once('@').map_or("", |(local, _)| local);
        let domain = self.key.split_once('@').map_or("", |(_, domain)| domain);
        format!("{local}@{domain}")
    }

    /// The key with its domain in Unicode.
    #[must_use]
    pub fn unicode(&self) -> &str {
        &self.unicode
    }
}

/// Returns the lookup key of a text with an at sign, even if it is an incomplete or invalid
/// address.
pub(super) fn key(typed: &str) -> Option<String> {
    let text = narrow(typed);
    let (local, domain) = text.split_once('@')?;
    Some(format!("{}@{}", fold(local), to_ascii(domain)?))
}

/// Returns a key with its domain in Unicode.
pub(super) fn readable(key: &str) -> String {
    match key.split_once('@') {
        Some((local, domain)) => format!("{local}@{}", to_unicode(domain)),
        None => key.to_owned(),
    }
}

/// Replaces compatibility variants, and the full stop of Chinese keyboards.
fn narrow(typed: &str) -> String {
    typed
        .trim()
        .nfkc()
        .map(|character| if character == '\u{3002}' { '.' } else { character })
        .collect()
}

/// Converts a domain to ASCII. An ASCII domain that does not decode is kept: existing accounts have
/// such.
fn to_ascii(domain: &str) -> Option<String> {
    match UTS46.to_ascii(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
    {
        Ok(ascii) => Some(ascii.into_owned()),
        Err(_) => domain.is_ascii().then(|| domain.to_ascii_lowercase()),
    }
}

fn to_unicode(ascii: &str) -> Cow<'_, str> {
    match UTS46.to_unicode(ascii.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow) {
        (unicode, Ok(())) => unicode,
        (_, Err(_)) => Cow::Borrowed(ascii),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_any_spelling_gives_one_key() {
        for (typed, shown, key) in [
            (" Ada@Example.com ", "Ada@Example.com", "ada@example.com"),
            ("ada＠example．com", "ada@example.com", "ada@example.com"),
            ("ａｄａ＠ｅｘａｍｐｌｅ。ｃｏｍ", "ada@example.com", "ada@example.com"),
            ("ada@example。com", "ada@example.com", "ada@example.com"),
            ("Ada@MÜNCHEN.example", "Ada@münchen.example", "ada@xn--mnchen-3ya.example"),
            ("ada@mu\u{308}nchen.example", "ada@münchen.example", "ada@xn--mnchen-3ya.example"),
            (
                "ada@XN--MNCHEN-3YA.example",
                "ada@XN--MNCHEN-3YA.example",
                "ada@xn--mnchen-3ya.example",
            ),
            ("ada@例子.测试", "ada@例子.测试", "ada@xn--fsqu00a.xn--0zwm56d"),
            ("ada@faß.example", "ada@faß.example", "ada@xn--fa-hia.example"),
            // An ASCII domain stays as it was before domains were converted.
            ("ada@xn--zzzzzz.example", "ada@xn--zzzzzz.example", "ada@xn--zzzzzz.example"),
        ] {
            let address = EmailAddress::parse(typed)
                .unwrap_or_else(|problem| panic!("{typed:?}: {problem:?}"));
            assert_eq!((address.shown(), address.key()), (shown, key), "{typed:?}");
            for again in [typed, shown, key, address.unicode()] {
                assert_eq!(super::key(again).as_deref(), Some(key), "{again:?}");
            }
        }
    }

    #[test]
    fn deliverable_keeps_the_local_part_and_converts_the_domain() {
        for (typed, deliverable) in [
            ("Ada.L@Example.com", "Ada.L@example.com"),
            ("Ada@MÜNCHEN.example", "Ada@xn--mnchen-3ya.example"),
            ("ａｄａ＠例子。测试", "ada@xn--fsqu00a.xn--0zwm56d"),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().deliverable(), deliverable);
        }
    }

    #[test]
    fn parse_of_invalid_address_is_rejected() {
        for typed in [
            "ada",
            "ada@",
            "@b",
            "ä@b.c",
            "ada@b..c",
            "ada@-münchen.example",
            "ada@mün chen.example",
            "ada@mün_chen.example",
            "ada@mün\u{200b}chen.example\u{0}",
            "ada@\u{301}x.example",
            "ada@b@münchen.example",
            "ada@münchen.example.",
        ] {
            assert_eq!(EmailAddress::parse(typed), Err(Problem::EmailInvalid), "{typed:?}");
        }
        // Within the limit in Unicode, beyond it in ASCII.
        let label: String =
            (0..14).filter_map(|index| char::from_u32(0x4e00 + index * 997)).collect();
        let long = format!("ada@{}", vec![label; 6].join("."));
        assert_eq!(EmailAddress::parse(&long), Err(Problem::EmailTooLong));
    }
}
