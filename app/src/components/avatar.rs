//! Avatars: the uploaded picture, else one or two initials on a background
//! colour derived from the name.

use leptos::prelude::*;

use super::display_name;
use crate::session::browser::SessionContext;

/// Number of background colours in the style sheet.
const TINTS: u32 = 8;
/// CSS class of the largest size.
const LARGE: &str = "avatar";

/// The avatar of the signed-in user.
#[component]
pub fn Avatar(
    /// CSS class, which sets the size.
    class: &'static str,
) -> impl IntoView {
    let auth = SessionContext::of_page().auth;
    let name = move || auth.with(|auth| auth.user().map(|user| display_name(user).to_owned()));
    let picture = move || auth.with(|auth| auth.user().and_then(|user| user.avatar_url.clone()));
    user_avatar(name, picture, class)
}

/// Returns the path of the 96-pixel variant of a picture, which suffices for all sizes but the
/// largest. `str::replace` would add the substring search to the module.
fn small_variant(url: String) -> String {
    let large =
        url.rsplit_once('.').and_then(|(stem, ext)| Some((stem.strip_suffix("-512")?, ext)));
    large.map(|(stem, ext)| [stem, "-96.", ext].concat()).unwrap_or(url)
}

/// The avatar of a user: `name` as it is displayed, the path of the picture, and the CSS class, which
/// sets the size. A picture whose path stays the same is not requested again.
pub fn user_avatar(
    name: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
    picture: impl Fn() -> Option<String> + Send + Sync + 'static,
    class: &'static str,
) -> impl IntoView {
    let sized = move |url: String| if class == LARGE { url } else { small_variant(url) };
    view! {
        <span
            class=class
            aria-hidden="true"
            data-tint=move || name().map(|name| tint(&name).to_string())
        >
            {move || name().map(|name| initials(&name))}
            {move || picture().map(|url| view! { <img src=sized(url) alt="" /> })}
        </span>
    }
}

/// Returns the tint of the signed-in user's avatar, for the attribute `data-tint` of an element
/// around it.
pub fn tint_of_user() -> impl Fn() -> Option<String> + Copy + Send + Sync {
    let auth = SessionContext::of_page().auth;
    move || auth.with(|auth| auth.user().map(|user| tint(display_name(user)).to_string()))
}

/// Returns one or two initials; the style sheet capitalises them.
fn initials(name: &str) -> String {
    // Without Unicode tables, which every visitor would download.
    let first = |word: &str| {
        word.chars().find(|character| !character.is_ascii() || character.is_ascii_alphanumeric())
    };
    let name = name.split('@').next().unwrap_or(name);
    let mut words = name.split([' ', '.', '_', '-']).filter_map(first);
    let (one, two) = (words.next(), words.next_back());
    // Two initials only in scripts with capitals: two ideographs would read as another name.
    let two = two.filter(|two| two.is_ascii() && one.is_some_and(|one| one.is_ascii()));
    one.into_iter().chain(two).collect()
}

/// Returns the index of a name's background colour.
fn tint(name: &str) -> u32 {
    name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % TINTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_variant_of_a_picture_has_96_pixels() {
        for (url, expected) in [
            ("/uploads/avatars/7-512.jpg", "/uploads/avatars/7-96.jpg"),
            ("/uploads/a-512.b/7.jpg", "/uploads/a-512.b/7.jpg"),
            ("", ""),
        ] {
            assert_eq!(small_variant(url.to_owned()), expected);
        }
    }

    #[test]
    fn initials_with_any_name_returns_at_most_two_letters() {
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
    fn tint_depends_on_the_name_only() {
        assert_eq!(tint("Ada"), tint("Ada"));
        let used: std::collections::BTreeSet<_> =
            ["Ada", "Bob", "Cleo", "小明", "李雷", "Eve", "f", ""].map(tint).into();
        assert!(used.len() > 4, "{used:?}");
        assert!(used.iter().all(|tint| *tint < TINTS));
    }
}
