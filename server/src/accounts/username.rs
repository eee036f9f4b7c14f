//! Account names: what is taken as one, by what it is found, and what it looks like.

use app::validation::{self, Problem, ServerProblem};
use unicode_general_category::{GeneralCategory as Category, get_general_category};
use unicode_security::{MixedScript, skeleton};
use uuid::Uuid;

use super::{
    email_address::{self, EmailAddress},
    fold,
};
use crate::store::{Name, Store, StoreError};

/// Bytes of the longest text that is looked up: no account's name comes near it.
const LOOKUP_MAX: usize = 1024;

/// A name that an account may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    name: Name,
}

impl Username {
    /// Takes a name as it was typed.
    ///
    /// # Errors
    ///
    /// The [`Problem`] that makes it no name.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        validation::username::check(typed)?;
        if validation::username::is_address(typed) {
            let address = EmailAddress::parse(typed)?;
            let (_, domain) = address.unicode().split_once('@').unwrap_or_default();
            // A look-alike of another domain mixes scripts within a label.
            if !domain.split('.').all(MixedScript::is_single_script) {
                return Err(ServerProblem::UsernameScripts.into());
            }
            return Ok(Self { shown: address.shown().to_owned(), name: name_of(address.key()) });
        }
        let shown = typed.trim().to_owned();
        let name = name_of(&shown);
        check_letters(&shown)?;
        // A single character may stand for a whole word (U+FDFA): what it is found by has to be a
        // name too.
        validation::username::check(&name.key)?;
        check_letters(&name.key)?;
        Ok(Self { shown, name })
    }

    /// The name as the person wrote it; of an address the [shown form](EmailAddress::shown).
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What the account is found by.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.name.key
    }

    /// The name as far as others may not have it.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }
}

/// The account that somebody means: by its name in any spelling, or by its id, also where it is
/// gone by now.
///
/// # Errors
///
/// [`StoreError`]
pub async fn find(store: &Store, typed: &str) -> Result<Option<Uuid>, StoreError> {
    if let Ok(id) = Uuid::try_parse(typed) {
        return Ok(Some(id));
    }
    let Some(key) = lookup_key(typed) else { return Ok(None) };
    Ok(store.user_with_hash(&key).await?.map(|(account, _)| account.user.id))
}

/// What a typed name is looked up by; `None` for a text that is too long for any account.
#[must_use]
pub fn lookup_key(typed: &str) -> Option<String> {
    let name = typed.trim();
    (name.len() <= LOOKUP_MAX).then(|| key_of(name))
}

/// What a name is found by.
fn key_of(name: &str) -> String {
    email_address::key(name).unwrap_or_else(|| fold(name))
}

/// A name as far as others may not have it.
#[must_use]
pub fn name_of(shown: &str) -> Name {
    let key = key_of(shown);
    // An internationalised domain looks like what people read.
    let readable = email_address::readable(&key);
    // UTS #39 §4. A look-alike of a capital letter is one of the small letter, too.
    let skeleton = fold(&skeleton(&readable).collect::<String>());
    let is_ascii = if key.contains('@') { readable.is_ascii() } else { shown.is_ascii() };
    Name { key, skeleton, is_ascii }
}

/// Fills in what names look like that were there before it mattered.
///
/// # Errors
///
/// [`StoreError`]
pub async fn fill_in(store: &Store) -> Result<(), StoreError> {
    loop {
        let users = store.users_without_skeleton().await?;
        if users.is_empty() {
            return Ok(());
        }
        store
            .set_skeletons(users.into_iter().map(|(id, shown)| (id, name_of(&shown))).collect())
            .await?;
    }
}

/// Letters and marks of a single script, digits, and the three signs that the shared rule lets
/// through.
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
    fn variants_of_a_name_are_found_by_one_key() {
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
    fn names_of_one_script_or_of_one_writing_system_are_taken() {
        for typed in
            ["测试用户", "カタカナひらがな漢字", "한국어漢字", "Вася_92", "नमस्ते", "שלום", "bob-1"]
        {
            assert!(Username::parse(typed).is_ok(), "{typed:?}");
        }
    }

    #[test]
    fn mixed_scripts_signs_and_invisible_characters_are_refused() {
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
    fn address_with_look_alike_domain_is_taken_or_refused() {
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
    fn look_alikes_are_taken_where_one_is_not_ascii() {
        assert_pair("cop", "\u{441}\u{43e}\u{440}", true);
        assert_pair("COP", "\u{421}\u{41e}\u{420}", true);
        assert_pair("bob1", "ｂｏｂｌ", true);
    }

    #[test]
    fn names_within_ascii_stand_side_by_side_and_so_do_those_that_look_different() {
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
        fn a_name_is_found_however_it_is_typed_again(typed in "\\PC{1,40}") {
            if let Ok(name) = Username::parse(&typed) {
                prop_assert_eq!(lookup_key(&typed), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.shown()), Some(name.key().to_owned()));
                prop_assert_eq!(lookup_key(name.key()), Some(name.key().to_owned()));
            }
        }
    }
}
