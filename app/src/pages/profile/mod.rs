//! `/profile`: the signed-in user, the access token and the newest files.

mod token;

use leptos::prelude::*;

use super::{notices, profile_resource::ProfileResource};
use crate::{
    components::{
        avatar::{self, Avatar},
        display_name,
        logout_button::LogoutButton,
        time::{self, Precision},
    },
    i18n::strings::{Strings, welcome},
    pages::{files::newest_files, settings},
    session::browser::SessionContext,
};

/// The page. Its layout does not change while data loads, so nothing shifts.
#[component]
pub fn Profile() -> impl IntoView {
    let auth = SessionContext::of_page().auth;
    let profile = ProfileResource::new();
    let language = profile.language;
    let greeting = move || {
        let known =
            auth.with(|auth| auth.user().map(|user| welcome(language.get(), display_name(user))));
        known.unwrap_or_else(|| language.strings().profile.to_owned())
    };
    let name = move || profile.get(|me| breakable(display_name(&me.user())));
    // Without a nickname the username is shown as the name.
    let username =
        profile.text(|me, _| me.nickname.as_ref().map(|_| me.username.clone()).unwrap_or_default());
    let (newest_files, notices) =
        newest_files(move || !profile.is_loading() && !profile.has_failed());
    view! {
        <div class="profile">
            <h1 tabindex="-1">{greeting}</h1>
            {profile.status_view()}
            {notices::view(notices)}
            <div
                class="cards"
                hidden=move || profile.has_failed()
                aria-busy=move || profile.is_loading().then_some("true")
            >
                <section class="card card-person" data-tint=avatar::tint_of_user()>
                    <Avatar class="avatar" />
                    <p class="card-name">{name}</p>
                    <p class="card-username">{username}</p>
                    <p class="card-since">
                        {profile.text(|me, lang| {
                            let day = time::format_time(me.created_at, Precision::Day, lang);
                            format!("{} {day}", Strings::of(lang).member_since)
                        })}
                    </p>
                    <div class="actions">
                        <a class="btn btn-outline" href=settings::profile_form_url()>
                            {language.t(|s| s.edit)}
                        </a>
                        <LogoutButton />
                    </div>
                </section>
                {token::card(profile)}
            </div>
            {newest_files}
        </div>
    }
}

/// Lets a long name break after its `@` and before its dots, not within a word.
fn breakable(name: &str) -> Vec<AnyView> {
    pieces(name).into_iter().map(|piece| view! { {piece.to_owned()} <wbr /> }.into_any()).collect()
}

fn pieces(name: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for part in name.split_inclusive('@') {
        let mut start = 0;
        for (index, _) in part.match_indices('.').filter(|(index, _)| *index > 0) {
            pieces.push(&part[start..index]);
            start = index;
        }
        pieces.push(&part[start..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_of_an_address_end_after_the_at_sign_and_before_dots() {
        for (name, expected) in [
            ("ada", vec!["ada"]),
            ("ada.l@mail.example.org", vec!["ada", ".l@", "mail", ".example", ".org"]),
            (".a", vec![".a"]),
            ("小.明", vec!["小", ".明"]),
        ] {
            assert_eq!(pieces(name), expected);
            assert_eq!(pieces(name).concat(), name);
        }
    }
}
