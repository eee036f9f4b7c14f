//! 404 page.

use leptos::prelude::*;

use crate::{components::icons, i18n::strings::Language, routes::Page};

/// The page. On the server it sets the response status to 404.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    let language = Language::of_page();
    view! {
        <section class="hero">
            <div class="hero-mark">{icons::closed_mark()}</div>
            <h1 tabindex="-1">{language.t(|s| s.not_found)}</h1>
            <p>{language.t(|s| s.not_found_text)}</p>
            <div class="actions">
                <a class="btn btn-primary" href=Page::Home.path()>{language.t(|s| s.to_home)}</a>
            </div>
        </section>
    }
}
