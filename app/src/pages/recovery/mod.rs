//! The pages of mails, which are in the lazy chunk: `/forgot`.

mod forgot;

pub(super) use forgot::view;
use leptos::prelude::*;

use crate::{components::icons, i18n::strings::Language, routes::Page};

/// Frame of the pages: logo, heading and content.
fn card(page: Page, content: AnyView) -> AnyView {
    let language = Language::of_page();
    view! {
        <section class="card-narrow">
            {icons::mark()}
            <h1 tabindex="-1">{move || page.title(language.strings())}</h1>
            {content}
        </section>
    }
    .into_any()
}
