//! Account names: what is taken as one, and by what it is found.

use app::rules::{self, Problem};
use unicode_general_category::{GeneralCategory as Category, get_general_category};
use unicode_security::MixedScript as _;

use super::fold;

/// Bytes of the longest text that is looked up: no account's name comes near it.
const LOOKUP_MAX: usize = 1024;

/// A name that an account may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    key: String,
}

impl Username {
    /// Takes a name as it was typed.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes it no name.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        rules::username::check(typed)?;
        let shown = typed.trim().to_owned();
        let key = fold(&shown);
        if !rules::username::is_email(&shown) {
            check_letters(&shown)?;
            // A single character may stand for a whole word (U+FDFA): what it is found by has to be a name too.
            rules::username::check(&key)?;
            check_letters(&key)?;
        }
        Ok(Self { shown, key })
    }

    /// The name as the person wrote it.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What the account is found by.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What a typed name is looked up by; `None` for a text that is too long for any account.
#[must_use]
pub fn lookup_key(typed: &str) -> Option<String> {
    let name = typed.trim();
    (name.len() <= LOOKUP_MAX).then(|| fold(name))
}

/// Letters and marks of a single script, digits, and the three signs that the shared rule lets through.
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
    if name.is_single_script() { Ok(()) } else { Err(Problem::UsernameScripts) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(typed: &str) -> String {
        Username::parse(typed).unwrap_or_else(|problem| panic!("{typed:?}: {problem:?}")).key().to_owned()
    }

    #[test]
    fn variants_of_a_name_are_found_by_one_key() {
        for typed in ["admin", "Admin", " ADMIN ", "ａｄｍｉｎ"] {
            assert_eq!(key(typed), "admin");
        }
        assert_eq!(key("Straße"), key("STRASSE"));
        assert_eq!(key("Zoe\u{308}"), key("ZO\u{cb}"));
        assert_eq!(key("A@X.Example"), key("a@x.example"));
        assert_eq!(Username::parse(" ＡＤＭＩＮ ").unwrap().shown(), "ＡＤＭＩＮ");
    }

    #[test]
    fn names_of_one_script_or_of_one_writing_system_are_taken() {
        for typed in ["测试用户", "カタカナひらがな漢字", "한국어漢字", "Вася_92", "नमस्ते", "שלום", "bob-1"]
        {
            assert!(Username::parse(typed).is_ok(), "{typed:?}");
        }
    }

    #[test]
    fn mixed_scripts_signs_and_invisible_characters_are_refused() {
        for (typed, problem) in [
            ("\u{430}dmin", Problem::UsernameScripts),
            ("bobΩ", Problem::UsernameScripts),
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

    proptest! {
        #[test]
        fn a_name_is_found_however_it_is_typed_again(typed in "\\PC{1,40}") {
            if let Ok(name) = Username::parse(&typed) {
                prop_assert_eq!(lookup_key(&typed), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.shown()), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.key()), Some(name.key().to_owned()));
            }
        }
    }
}
