//! `/profile`: the signed-in user, the access token and the newest files.

mod token;

use leptos::prelude::*;

use super::profile_resource::ProfileResource;
use crate::{
    components::{
        avatar::Avatar,
        display_name,
        logout_button::LogoutButton,
        time::{self, Precision},
    },
    i18n::strings::{Strings, welcome},
    pages::files::newest_files,
    routes::Page,
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
    let name = profile.text(|me, _| display_name(&me.user()).to_owned());
    // Without a nickname the username is shown as the name.
    let username =
        profile.text(|me, _| me.nickname.as_ref().map(|_| me.username.clone()).unwrap_or_default());
    view! {
        <div class="profile">
            <h1 tabindex="-1">{greeting}</h1>
            {profile.status_view()}
            <div
                class="cards"
                hidden=move || profile.has_failed()
                aria-busy=move || profile.is_loading().then_some("true")
            >
                <section class="card card-person">
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
                        <a class="btn btn-outline" href=Page::SettingsProfile.path()>
                            {language.t(|s| s.edit)}
                        </a>
                        <LogoutButton />
                    </div>
                </section>
                {token::card(profile)}
            </div>
            {newest_files(move || !profile.is_loading() && !profile.has_failed())}
        </div>
    }
}
