//! What pages share.

pub mod button;
pub mod field;
pub mod form;
pub mod header;
pub mod icons;
pub mod leave;
pub mod notices;
pub mod progress;
pub mod time;

use crate::api::User;

/// How a person is called.
#[must_use]
pub fn name_of(user: &User) -> &str {
    user.nickname.as_deref().unwrap_or(&user.username)
}

/// One or two letters in place of a picture; the style sheet makes them capitals.
#[must_use]
pub fn initials(name: &str) -> String {
    // Without Unicode's tables, whose bytes every visitor would pay for.
    let first = |word: &str| word.chars().find(|character| !character.is_ascii() || character.is_ascii_alphanumeric());
    let name = name.split('@').next().unwrap_or(name);
    let mut words = name.split([' ', '.', '_', '-']).filter_map(first);
    let (one, two) = (words.next(), words.next_back());
    // Two letters only of scripts that have capitals: two ideographs would be another name.
    let two = two.filter(|two| two.is_ascii() && one.is_some_and(|one| one.is_ascii()));
    one.into_iter().chain(two).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_of_names() {
        for (name, expected) in [
            ("bob", "b"),
            ("first.last@example.org", "fl"),
            ("Ada King Lovelace", "AL"),
            ("小明", "小"),
            ("王 小明", "王"),
            ("élan", "é"),
            ("_-_", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
