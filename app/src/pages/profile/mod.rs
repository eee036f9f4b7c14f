//! `/profile`: who you are and how long your token lives.

mod token;

use leptos::prelude::*;

use super::person::Person;
use crate::{
    components::{
        avatar::Avatar,
        leave::LogOut,
        name_of,
        time::{self, Precision},
    },
    i18n::strings::{Strings, welcome},
    pages::files::newest_files,
    session::browser::Signals,
};

/// The page. Its frame is the same while the data comes, so that nothing jumps.
#[component]
pub fn Profile() -> impl IntoView {
    let auth = Signals::of_page().auth;
    let person = Person::of_page();
    let language = person.language;
    let greeting = move || {
        let known =
            auth.with(|auth| auth.user().map(|user| welcome(language.get(), name_of(user))));
        known.unwrap_or_else(|| language.strings().account.to_owned())
    };
    view! {
        <div class="profile">
            <h1 tabindex="-1">{greeting}</h1>
            {person.state()}
            <div class="cards" hidden=move || person.is_lost() aria-busy=move || person.is_coming().then_some("true")>
                <section class="card card-person">
                    <Avatar class="avatar" />
                    <p class="card-name">{person.text(|me, _| name_of(&me.user).to_owned())}</p>
                    // Who has no nickname is called by the username already.
                    <p class="card-username">
                        {person.text(|me, _| me.user.nickname.as_ref().map(|_| me.user.username.clone()).unwrap_or_default())}
                    </p>
                    <p class="card-since">
                        {person.text(|me, lang| {
                            let day = time::moment(me.created_at, Precision::Day, lang);
                            format!("{} {day}", Strings::of(lang).member_since)
                        })}
                    </p>
                    <div class="actions">
                        <a class="btn btn-outline" href="/settings/profile">{language.t(|s| s.edit)}</a>
                        <LogOut />
                    </div>
                </section>
                {token::card(person)}
            </div>
            {newest_files(move || !person.is_coming() && !person.is_lost())}
        </div>
    }
}
