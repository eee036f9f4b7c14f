//! State of an email address: verified or not, and another one that waits for its verification.

use leptos::prelude::*;

use crate::{i18n::strings::Language, page_settings};

/// The state, beside the address; nothing on a server that sends no mail. `is_verified`: none without
/// an address.
pub fn address_state(
    is_verified: impl Fn() -> Option<bool> + Copy + Send + Sync + 'static,
    waiting: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let language = Language::of_page();
    let pill = move |is_verified: bool| {
        view! {
            <span class="pill" data-disabled=(!is_verified).then_some("")>
                {language.t(if is_verified { |s| s.address_verified } else { |s| s.address_unverified })}
            </span>
        }
    };
    let note = move |address: String| {
        view! {
            <p class="note">{language.t(|s| s.address_waiting)} " " <bdi>{address}</bdi></p>
        }
    };
    page_settings::has_mail().then(move || {
        view! {
            " "
            {move || is_verified().map(pill)}
            {move || waiting().map(note)}
        }
    })
}
