//! All user-visible texts, Chinese and English side by side: a missing translation does not
//! compile.
//!
//! [`messages`] holds the server's responses, [`strings`] the texts of the pages that every visitor
//! loads, [`authenticated`] those of pages that require authentication, [`document`](mod@document)
//! those around the app, which the server renders. They are separate tables so that the compiled
//! program of each carries its own texts only. `mail` has the texts of mails.

pub mod audit;
pub mod authenticated;
pub mod document;
#[cfg(feature = "ssr")]
pub mod export;
#[cfg(feature = "ssr")]
pub mod html;
#[cfg(feature = "ssr")]
pub mod mail;
pub mod messages;
pub mod problems;
pub mod strings;
#[cfg(all(test, feature = "ssr"))]
mod words_ts;

use serde::{Deserialize, Serialize};

/// A supported language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese, written in simplified characters.
    Zh,
    /// English: the default.
    #[default]
    En,
}

impl Lang {
    /// The cookie that remembers a chosen language.
    pub const COOKIE: &'static str = "lang";

    /// The tag for `<html lang>` and `Content-Language` (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The language's own name for itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zh => "中文",
            Self::En => "English",
        }
    }

    /// The other language, for the language switch.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// The language of a tag such as `zh` or `zh-Hans-CN`, or of a POSIX locale such as `en_GB` or
    /// `zh.UTF-8`, where it is supported.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag
            .trim()
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The language that an `Accept-Language` header prefers (RFC 9110 §12.5.4): the highest weight
    /// wins, the first of equals, `q=0` excludes; English where none is supported.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0, Self::default());
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(lang) = parts.next().and_then(Self::from_tag) else { continue };
            let weight = parts
                .find_map(|parameter| parameter.trim().strip_prefix("q=").map(thousandths))
                .unwrap_or(1000);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The language of a request: the cookie's if it is set and valid, else the browser's.
    #[must_use]
    pub fn choose(cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        cookie
            .and_then(Self::from_tag)
            .unwrap_or_else(|| Self::from_accept_language(accept_language.unwrap_or_default()))
    }
}

/// A weight such as `0.8` in thousandths. An invalid weight counts as zero, which excludes the
/// range.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1000,
        "0" if digits(fraction) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// Defines a table of texts, one a line, Chinese first.
macro_rules! string_table {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            /// Language of the texts.
            pub lang: crate::i18n::Lang,
            $(#[doc = $en] pub $key: &'static str,)*
        }

        static ZH: $name = $name { lang: crate::i18n::Lang::Zh, $($key: $zh,)* };
        static EN: $name = $name { lang: crate::i18n::Lang::En, $($key: $en,)* };

        impl $name {
            /// The texts of a language.
            #[must_use]
            pub fn of(lang: crate::i18n::Lang) -> &'static Self {
                match lang {
                    crate::i18n::Lang::Zh => &ZH,
                    crate::i18n::Lang::En => &EN,
                }
            }

            /// Every text with its key.
            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($key), self.$key),)*]
            }
        }
    };
}
pub(crate) use string_table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_accept_language_with_several_ranges_takes_highest_weight() {
        for (header, expected) in [
            ("", Lang::En),
            ("fr", Lang::En),
            ("zh", Lang::Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en;q=0.5, zh;q=0.51", Lang::Zh),
            ("fr, zh-Hant-TW;q=0.1", Lang::Zh),
            ("zh;q=0, en;q=0.1", Lang::En),
            ("zh;q=0", Lang::En),
            ("zh;q=nonsense, en;q=0.001", Lang::En),
            ("ZH", Lang::Zh),
            ("zhx", Lang::En),
            ("*", Lang::En),
            ("zh_CN", Lang::Zh),
            ("zh.UTF-8;q=0.9, en-US@posix;q=0.8", Lang::Zh),
            ("zh@pinyin", Lang::Zh),
            ("en-US@posix, zh;q=0.5", Lang::En),
            ("C, zh", Lang::Zh),
        ] {
            assert_eq!(Lang::from_accept_language(header), expected, "{header:?}");
        }
    }

    #[test]
    fn string_table_in_either_language_has_text_for_every_key() {
        let is_han = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
        for (zh, en) in [
            (messages::Messages::of(Lang::Zh).all(), messages::Messages::of(Lang::En).all()),
            (strings::Strings::of(Lang::Zh).all(), strings::Strings::of(Lang::En).all()),
            (export::ExportStrings::of(Lang::Zh).all(), export::ExportStrings::of(Lang::En).all()),
            (
                document::DocumentStrings::of(Lang::Zh).all(),
                document::DocumentStrings::of(Lang::En).all(),
            ),
            (
                authenticated::AuthenticatedStrings::of(Lang::Zh).all(),
                authenticated::AuthenticatedStrings::of(Lang::En).all(),
            ),
        ] {
            for ((name, zh), (_, en)) in zh.into_iter().zip(en) {
                assert!(
                    en.chars().any(char::is_alphabetic) && !en.chars().any(is_han),
                    "{name}: {en}"
                );
                assert!(zh.chars().any(is_han), "{name}: {zh}");
            }
        }
    }

    #[test]
    fn choose_with_valid_cookie_ignores_accept_language() {
        assert_eq!(Lang::choose(Some("zh"), Some("en")), Lang::Zh);
        assert_eq!(Lang::choose(Some("tlh"), Some("zh")), Lang::Zh);
        assert_eq!(Lang::choose(None, None), Lang::En);
    }
}
