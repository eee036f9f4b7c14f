//! A person's picture, or what stands for it: one or two letters, in a colour that is always the
//! same for the same name.

use leptos::prelude::*;

use super::name_of;
use crate::session::browser::Signals;

/// How many colours the style sheet has.
const TINTS: u32 = 8;
/// The class of the largest.
const LARGE: &str = "avatar";

/// The picture of whoever is signed in.
#[component]
pub fn Avatar(
    /// How large it is.
    class: &'static str,
) -> impl IntoView {
    let auth = Signals::of_page().auth;
    let picture =
        Memo::new(move |_| auth.with(|auth| auth.user().and_then(|user| user.avatar_url.clone())));
    // The small one is enough for all but the largest.
    let sized = move |url: String| if class == LARGE { url } else { url.replace("-512.", "-96.") };
    let name =
        Memo::new(move |_| auth.with(|auth| auth.user().map(|user| name_of(user).to_owned())));
    view! {
        <span
            class=class
            aria-hidden="true"
            data-tint=move || name.with(|name| name.as_ref().map(|name| tint(name).to_string()))
        >
            {move || name.with(|name| name.as_ref().map(|name| initials(name)))}
            {move || picture.get().map(|url| view! { <img src=sized(url) alt="" /> })}
        </span>
    }
}

/// One or two letters in place of a picture; the style sheet makes them capitals.
fn initials(name: &str) -> String {
    // Without Unicode's tables, whose bytes every visitor would pay for.
    let first = |word: &str| {
        word.chars().find(|character| !character.is_ascii() || character.is_ascii_alphanumeric())
    };
    let name = name.split('@').next().unwrap_or(name);
    let mut words = name.split([' ', '.', '_', '-']).filter_map(first);
    let (one, two) = (words.next(), words.next_back());
    // Two letters only of scripts that have capitals: two ideographs would be another name.
    let two = two.filter(|two| two.is_ascii() && one.is_some_and(|one| one.is_ascii()));
    one.into_iter().chain(two).collect()
}

/// The number of a name's colour.
fn tint(name: &str) -> u32 {
    name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % TINTS
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn names_have_their_colours() {
        assert_eq!(tint("Ada"), tint("Ada"));
        let used: std::collections::BTreeSet<_> =
            ["Ada", "Bob", "Cleo", "小明", "李雷", "Eve", "f", ""].map(tint).into();
        assert!(used.len() > 4, "{used:?}");
        assert!(used.iter().all(|tint| *tint < TINTS));
    }
}
