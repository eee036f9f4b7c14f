//! `/settings/profile`: how a person is called and reached.

use leptos::prelude::*;

use crate::{i18n::words::Language, session::browser::Signals};

/// The section's cards.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let username = move || auth.with(|auth| auth.user().map(|user| user.username.clone()));
    view! {
        <section class="card">
            <dl>
                <div class="row">
                    <dt>{language.say(|w| w.username)}</dt>
                    <dd>{username}</dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}
