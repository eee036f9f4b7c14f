//! The page at the current URL, its document title, and the focus after a navigation.

use leptos::prelude::*;
use leptos_router::{
    hooks::use_location,
    location::{BrowserUrl, LocationProvider as _},
};

use super::{
    home::Home, lazy_pages::LazyPages, login::Login, not_found::NotFound, register::Register,
};
use crate::{dom, guards, i18n::strings::Language, page_settings, routes::Page};

/// Renders the page at the current URL. leptos_router's `<Routes>` over the same pages, with
/// `<ParentRoute>` for the settings, adds 30.2 kB (brotli) to the first load of `/login`: 201.6 kB
/// of WebAssembly instead of 171.4 kB (leptos_router 0.8.17); `<FlatRoutes>` adds 16.8 kB.
/// [`Page::at`] takes their place; history and links are the router's.
#[component]
pub fn CurrentPage() -> impl IntoView {
    let lazy_pages = LazyPages::of_page();
    let location = use_location();
    let pathname = location.pathname;
    // As between documents, the previous page stays until the next one can be rendered.
    let page = Memo::new(move |before| {
        let page = Page::at(&pathname.read());
        before.copied().filter(|_| !lazy_pages.can_render(page)).unwrap_or(page)
    });
    Effect::new(move |_| {
        let is_lazy = Page::at(&pathname.read()).is_lazy();
        lazy_pages.request_for(is_lazy.then(|| guards::relative_url(&location)));
    });
    announce_page(page);
    move || match page.get() {
        Page::Home => view! { <Home /> }.into_any(),
        Page::Login => view! { <Login /> }.into_any(),
        Page::Register => view! { <Register /> }.into_any(),
        Page::NotFound => view! { <NotFound /> }.into_any(),
        lazy => lazy_pages.view(lazy),
    }
}

/// Sets the document title and, after a navigation, moves the focus: to the first empty field of a
/// form of guests, else to the page's heading, so that screen readers announce it.
fn announce_page(page: Memo<Page>) {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let address = use_context::<BrowserUrl>();
    let site = page_settings::site_name();
    Effect::new(move |before: Option<Page>| {
        let page = page.get();
        // A navigation that waits for its chunk has no history entry yet.
        if let Some(address) = address.as_ref().filter(|_| Page::at(&pathname.read()) == page) {
            address.ready_to_complete();
        }
        document().set_title(&page.document_title(language.strings(), &site));
        if before.is_some_and(|before| before != page) {
            // The new page is rendered one frame later.
            request_animation_frame(|| {
                // A form of guests is opened to be filled in.
                let target = dom::find(".guests-only input:invalid").or_else(|| dom::find("h1"));
                if let Some(target) = target {
                    dom::focus(&target);
                }
            });
        }
        page
    });
}
