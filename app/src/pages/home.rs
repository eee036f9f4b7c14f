//! `/`: who you are, and the ways in.

use leptos::prelude::*;

use crate::{
    components::{icons, name_of},
    i18n::words::{Language, welcome},
    session::browser::Signals,
};

/// The page. As in the header, the style sheet shows what is for whom.
#[component]
pub fn Home() -> impl IntoView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let greeting = move || {
        auth.with(|auth| auth.user().map(|user| welcome(language.get(), name_of(user))))
            .unwrap_or_else(|| language.words().tagline.to_owned())
    };
    view! {
        <section class="hero">
            <div class="hero-mark">{icons::mark()}</div>
            <h1 tabindex="-1">{greeting}</h1>
            <p class="for-member">{language.say(|w| w.home_member)}</p>
            <p class="for-guest">{language.say(|w| w.home_guest)}</p>
            <div class="actions">
                <a class="btn btn-primary for-member" href="/profile">{language.say(|w| w.to_profile)}</a>
                <a class="btn btn-primary for-guest" href="/login">{language.say(|w| w.log_in)}</a>
                <a class="btn btn-outline for-guest" href="/register">{language.say(|w| w.register)}</a>
            </div>
        </section>
    }
}
