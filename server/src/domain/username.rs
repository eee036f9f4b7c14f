//! Usernames: validation, lookup keys and confusable skeletons.

use app::validation::{self, Problem, ServerProblem};
use unicode_general_category::{GeneralCategory as Category, get_general_category};
use unicode_security::{MixedScript, skeleton};

use super::{
    email_address::{self, EmailAddress},
    fold,
};

/// Largest size of a text to look up, in bytes: no username comes near it.
const LOOKUP_MAX: usize = 1024;

/// A valid username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    name: Name,
}

impl Username {
    /// Parses a username as it was typed.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes the username invalid.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        validation::username::check(typed)?;
        if validation::username::is_address(typed) {
            let address = EmailAddress::parse(typed)?;
            let (_, domain) = address.unicode().split_once('@').unwrap_or_default();
            // A confusable domain mixes scripts within a label.
            if !domain.split('.').all(MixedScript::is_single_script) {
                return Err(ServerProblem::UsernameScripts.into());
            }
            return Ok(Self { shown: address.shown().to_owned(), name: name_of(address.key()) });
        }
        let shown = typed.trim().to_owned();
        let name = name_of(&shown);
        check_letters(&shown)?;
        // A single character may decompose to a whole word (U+FDFA): the key has to be a valid
        // name, too.
        validation::username::check(&name.key)?;
        check_letters(&name.key)?;
        Ok(Self { shown, name })
    }

    /// The username for display; of an e-mail address its [display form](EmailAddress::shown).
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The lookup key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.name.key
    }

    /// The parts of the name that must be unique.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }
}

/// Uniqueness keys of a username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Lookup key, unique among accounts.
    pub key: String,
    /// Skeleton of confusable characters (UTS #39). Usernames with the same skeleton may coexist if
    /// both are ASCII.
    pub skeleton: String,
    /// Set if the username is ASCII.
    pub is_ascii: bool,
}

impl Name {
    /// Returns whether this username conflicts with another one. The tables enforce the same rule.
    #[must_use]
    pub fn is_taken_by(&self, other: &Self) -> bool {
        self.key == other.key
            || (self.skeleton == other.skeleton && !(self.is_ascii && other.is_ascii))
    }
}

/// Returns the lookup key of a typed name; `None` if no account can have the name: it is too long, or
/// has a NUL.
#[must_use]
pub fn lookup_key(typed: &str) -> Option<String> {
    let name = typed.trim();
    // PostgreSQL takes no text with a NUL.
    (name.len() <= LOOKUP_MAX && !name.contains('\0')).then(|| key_of(name))
}

/// Returns the lookup key of a name.
fn key_of(name: &str) -> String {
    email_address::key(name).unwrap_or_else(|| fold(name))
}

/// Returns the parts of a name that must be unique.
#[must_use]
pub fn name_of(shown: &str) -> Name {
    let key = key_of(shown);
    // An internationalised domain is confusable by its Unicode form.
    let readable = email_address::readable(&key);
    // UTS #39 §4. Folded: what resembles a capital letter resembles the small one.
    let skeleton = fold(&skeleton(&readable).collect::<String>());
    let is_ascii = if key.contains('@') { readable.is_ascii() } else { shown.is_ascii() };
    Name { key, skeleton, is_ascii }
}

/// Allows letters and marks of one script, digits, and the three punctuation marks of the shared
/// rule.
fn check_letters(name: &str) -> Result<(), Problem> {
    let is_of_names = |character| {
        matches!(character, '.' | '_' | '-')
            || matches!(
                get_general_category(character),
                Category::UppercaseLetter
                    | Category::LowercaseLetter
                    | Category::TitlecaseLetter
                    | Category::ModifierLetter
                    | Category::OtherLetter
                    | Category::NonspacingMark
                    | Category::SpacingMark
                    | Category::DecimalNumber
            )
    };
    let begins_well = name.chars().next().is_some_and(char::is_alphanumeric);
    if !begins_well || !name.chars().all(is_of_names) {
        return Err(Problem::UsernameCharacters);
    }
    if name.is_single_script() { Ok(()) } else { Err(ServerProblem::UsernameScripts.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(typed: &str) -> String {
        Username::parse(typed)
            .unwrap_or_else(|problem| panic!("{typed:?}: {problem:?}"))
            .key()
            .to_owned()
    }

    #[test]
    fn parse_of_name_variants_gives_one_key() {
        for typed in ["admin", "Admin", " ADMIN ", "ａｄｍｉｎ"] {
            assert_eq!(key(typed), "admin");
        }
        assert_eq!(key("Straße"), key("STRASSE"));
        assert_eq!(key("Zoe\u{308}"), key("ZO\u{cb}"));
        assert_eq!(key("A@X.Example"), key("a@x.example"));
        assert_eq!(key("ａ＠x．example"), key("a@x.example"));
        assert_eq!(key("a@MÜNCHEN.example"), key("a@xn--mnchen-3ya.example"));
        assert_eq!(Username::parse(" ＡＤＭＩＮ ").unwrap().shown(), "ＡＤＭＩＮ");
    }

    #[test]
    fn parse_of_single_script_names_succeeds() {
        for typed in
            ["测试用户", "カタカナひらがな漢字", "한국어漢字", "Вася_92", "नमस्ते", "שלום", "bob-1"]
        {
            assert!(Username::parse(typed).is_ok(), "{typed:?}");
        }
    }

    #[test]
    fn parse_of_mixed_scripts_or_invisible_characters_is_rejected() {
        for (typed, problem) in [
            ("\u{430}dmin", ServerProblem::UsernameScripts.into()),
            ("bobΩ", ServerProblem::UsernameScripts.into()),
            ("bob😀", Problem::UsernameCharacters),
            ("bob\u{fe0f}x", Problem::UsernameCharacters),
            ("\u{301}bob", Problem::UsernameCharacters),
            ("ab½", Problem::UsernameCharacters),
            ("\u{fdfa}", Problem::UsernameTooShort),
            ("\u{fdfa}\u{fdfa}\u{fdfa}", Problem::UsernameCharacters),
        ] {
            assert_eq!(Username::parse(typed), Err(problem), "{typed:?}");
        }
    }

    #[test]
    fn parse_of_address_with_confusable_domain_checks_scripts() {
        // "сор" and "раде" are Cyrillic throughout.
        let alike = "a@\u{441}\u{43e}\u{440}.\u{440}\u{430}\u{441}\u{435}";
        assert_pair("a@cop.pace", alike, true);
        assert_pair("a@cop.pace", Username::parse(alike).unwrap().key(), true);
        assert_eq!(
            Username::parse("a@ex\u{430}mple.com"),
            Err(ServerProblem::UsernameScripts.into())
        );
        assert_pair("1@example.com", "l@example.com", false);
    }

    #[track_caller]
    fn assert_pair(one: &str, other: &str, is_taken: bool) {
        let of = |typed| {
            Username::parse(typed).unwrap_or_else(|problem| panic!("{typed:?}: {problem:?}"))
        };
        let (one, other) = (of(one), of(other));
        assert_eq!(one.name().is_taken_by(other.name()), is_taken, "{one:?} {other:?}");
        assert_eq!(
            other.name().is_taken_by(one.name()),
            is_taken,
            "the order does not matter: {one:?} {other:?}"
        );
    }

    #[test]
    fn is_taken_by_confusable_name_outside_ascii_returns_true() {
        assert_pair("cop", "\u{441}\u{43e}\u{440}", true);
        assert_pair("COP", "\u{421}\u{41e}\u{420}", true);
        assert_pair("bob1", "ｂｏｂｌ", true);
    }

    #[test]
    fn is_taken_by_other_ascii_or_distinct_name_returns_false() {
        for (one, other) in [
            ("bob1", "bobl"),
            ("rob0", "robo"),
            ("rnaja", "maja"),
            ("cop", "\u{43f}\u{43e}\u{440}"),
        ] {
            assert_pair(one, other, false);
        }
        assert_eq!(name_of("bob1").skeleton, name_of("bobl").skeleton, "these two look alike");
    }

    proptest! {
        #[test]
        fn lookup_key_of_display_form_finds_same_name(typed in "\\PC{1,40}") {
            if let Ok(name) = Username::parse(&typed) {
                prop_assert_eq!(lookup_key(&typed), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.shown()), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.key()), Some(name.key().to_owned()));
            }
        }
    }
}
