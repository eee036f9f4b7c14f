//! `/`: who you are, and the ways in.

use leptos::prelude::*;

use crate::{
    components::{icons::Mark, name_of},
    i18n::words::{Language, welcome},
    session::{browser::Signals, state::Auth},
};

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let name = Memo::new(move |_| auth.with(|auth| auth.user().map(|user| name_of(user).to_owned())));
    let is_guest = Memo::new(move |_| auth.with(Auth::is_guest));
    let greeting = move || match name.get() {
        Some(name) => welcome(language.get(), &name),
        None => language.words().tagline.to_owned(),
    };
    view! {
        <section class="hero">
            <div class="hero-mark"><Mark /></div>
            <h1 tabindex="-1">{greeting}</h1>
            <Show when=move || !is_guest.get()>
                <div class="for-member contents">
                    <p>{language.say(|w| w.home_member)}</p>
                    <div class="actions">
                        <a class="btn btn-primary" href="/profile">{language.say(|w| w.to_profile)}</a>
                    </div>
                </div>
            </Show>
            <Show when=move || name.with(Option::is_none)>
                <div class="for-guest contents">
                    <p>{language.say(|w| w.home_guest)}</p>
                    <div class="actions">
                        <a class="btn btn-primary" href="/login">{language.say(|w| w.log_in)}</a>
                        <a class="btn btn-outline" href="/register">{language.say(|w| w.register)}</a>
                    </div>
                </div>
            </Show>
        </section>
    }
}
