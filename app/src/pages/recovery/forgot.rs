//! `/forgot`: the way to a new password.

use leptos::prelude::*;

use super::card;
use crate::{i18n::strings::Language, page_settings, routes::Page};

/// The page.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let content = move || {
        view! {
        <p class="lead">{language.t(|s| s.cannot_log_in_text)}</p>
        {page_settings::support_url()
            .map(|url| {
                view! {
                    <a class="btn btn-outline btn-block" href=url>
                        {language.t(|s| s.contact_support)}
                    </a>
                }
            })}
        <p class="aside">
            <a href=Page::Login.path()>{language.t(|s| s.log_in)}</a>
        </p>
        }
        .into_any()
    };
    card(Page::Forgot, content)
}
