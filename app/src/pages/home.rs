//! `/`: what this is, who you are, and the ways in.

use leptos::{prelude::*, tachys::html::InertElement};

use crate::{
    components::{avatar::Avatar, icons, name_of},
    i18n::words::{Language, Words, welcome},
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
            <div class="hero-mark for-guest">{icons::mark()}</div>
            <Avatar class="avatar for-member" />
            <h1 tabindex="-1">{greeting}</h1>
            <p class="for-member">{language.say(|w| w.home_member)}</p>
            <p class="for-guest">{language.say(|w| w.home_guest)}</p>
            <div class="actions">
                <a class="btn btn-primary for-member" href="/profile">{language.say(|w| w.to_profile)}</a>
                <a class="btn btn-primary for-guest" href="/login">{language.say(|w| w.log_in)}</a>
                <a class="btn btn-outline for-guest" href="/register">{language.say(|w| w.register)}</a>
            </div>
        </section>
        <ul class="points for-guest">
            {point(icons::renew(), |w| w.home_lasts, |w| w.home_lasts_text)}
            {point(icons::closed_mark(), |w| w.home_ends, |w| w.home_ends_text)}
            {point(icons::eye(), |w| w.home_private, |w| w.home_private_text)}
        </ul>
    }
}

/// What one may expect.
fn point(
    icon: InertElement,
    what: fn(&'static Words) -> &'static str,
    why: fn(&'static Words) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <li>
            {icon}
            <div>
                <h2>{language.say(what)}</h2>
                <p>{language.say(why)}</p>
            </div>
        </li>
    }
}
