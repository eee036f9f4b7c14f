//! UI and API types.
//!
//! Compiled to WASM (feature `hydrate`) and into the server (feature `ssr`). No database, no
//! cryptography, no configuration: `backend` declares the traits that the server implements.

#![recursion_limit = "256"]
#![expect(
    clippy::must_use_candidate,
    reason = "components are functions whose views the macro uses"
)]

#[cfg(feature = "ssr")]
pub mod backend;
pub mod browser_value;
pub mod components;
pub mod document;
pub mod dom;
pub mod i18n;
pub mod pages;
pub mod protocol;
pub mod session;
pub mod validation;

use leptos::{ev, prelude::*};
use leptos_router::{
    components::Router,
    hooks::use_location,
    location::{BrowserUrl, LocationProvider as _},
};

use components::{
    header::Header,
    progress::ProgressLine,
    toasts::{ToastRegion, Toasts},
};
use i18n::strings::Language;
use pages::{
    Page,
    home::Home,
    lazy_pages::{LazyPages, PageRenderer},
    login::Login,
    not_found::NotFound,
    register::{PrefillUsername, Register},
};
use session::{
    activity, browser,
    guards::{self, Leaving},
    state::Ending,
};

use crate::protocol::error::Reason;

/// Root component, rendered on the server and hydrated in the browser.
#[component]
pub fn App(
    /// Renderer of the lazy pages, if their chunk is loaded already.
    #[prop(optional_no_strip)]
    lazy_pages: Option<PageRenderer>,
) -> impl IntoView {
    let signals = browser::provide();
    let lazy_pages = LazyPages::provide(lazy_pages);
    provide_context(Language(RwSignal::new(document::lang())));
    provide_context(Leaving(StoredValue::new(false)));
    provide_context(PrefillUsername(StoredValue::new(None)));
    let toasts = Toasts::provide();
    // Effects run in the browser only, after hydration.
    Effect::new(move |_| {
        browser::begin_page(signals);
        activity::watch(signals);
        let _ = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && !event.default_prevented() {
                toasts.close_newest();
            }
        });
    });
    Effect::new(move |_| {
        if let Some(why) = signals.ended.get() {
            toasts.alert(session_end_message(why));
        }
    });
    // Signed-in users will navigate to these pages next.
    Effect::new(move |_| {
        if signals.auth.with(|auth| auth.user().is_some()) {
            lazy_pages.preload();
        }
    });
    view! {
        <Router>
            <RouteGuards />
            <ProgressLine />
            <Header />
            <main id="main">
                <CurrentPage />
            </main>
            <ToastRegion />
        </Router>
    }
}

/// Renders the page at the current URL. [`Page`] holds the route table: leptos_router's `<Routes>`
/// would state the paths a second time, and would add a twentieth to the first load.
#[component]
fn CurrentPage() -> impl IntoView {
    let lazy_pages = LazyPages::of_page();
    let location = use_location();
    let pathname = location.pathname;
    // As between documents, the previous page stays until the next one can be rendered.
    let page = Memo::new(move |before| {
        let page = Page::at(&pathname.read());
        before.copied().filter(|_| !lazy_pages.can_render(page)).unwrap_or(page)
    });
    Effect::new(move |_| {
        let requires_auth = Page::at(&pathname.read()).requires_auth();
        lazy_pages.request_for(requires_auth.then(|| guards::address(&location)));
    });
    announce_page(page);
    move || match page.get() {
        Page::Home => view! { <Home /> }.into_any(),
        Page::Login => view! { <Login /> }.into_any(),
        Page::Register => view! { <Register /> }.into_any(),
        Page::NotFound => view! { <NotFound /> }.into_any(),
        lazy @ (Page::Profile | Page::Files | Page::Settings(_) | Page::Users) => {
            lazy_pages.view(lazy)
        }
    }
}

/// Sets the document title and, after a navigation, moves the focus to the page's heading, so that
/// screen readers announce it.
fn announce_page(page: Memo<Page>) {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let address = use_context::<BrowserUrl>();
    Effect::new(move |before: Option<Page>| {
        let page = page.get();
        // A navigation that waits for its chunk has no history entry yet.
        if let Some(address) = address.as_ref().filter(|_| Page::at(&pathname.read()) == page) {
            address.ready_to_complete();
        }
        document().set_title(&document::title(page, language.strings()));
        if before.is_some_and(|before| before != page) {
            // The new page is rendered one frame later.
            request_animation_frame(|| {
                if let Some(heading) = dom::find("h1") {
                    dom::focus(&heading);
                }
            });
        }
        page
    });
}

/// Returns the alert that explains why the session ended.
fn session_end_message(why: Ending) -> fn(&'static i18n::strings::Strings) -> &'static str {
    match why {
        Ending::Revoked(Reason::LoggedOut) => |strings| strings.session_logged_out,
        Ending::Revoked(Reason::EndedElsewhere) => |strings| strings.session_ended_elsewhere,
        Ending::Revoked(Reason::Reused) => |strings| strings.session_reused,
        Ending::Revoked(Reason::Disabled) => |strings| strings.session_disabled,
        Ending::Revoked(Reason::PasswordChanged) => |strings| strings.session_password_changed,
        Ending::Expired | Ending::Revoked(Reason::Unknown) => |strings| strings.session_expired,
    }
}

/// Runs the route guards, and renders the skip link.
#[component]
fn RouteGuards() -> impl IntoView {
    guards::watch(browser::Signals::of_page());
    let language = Language::of_page();
    view! { <a class="skip-link" href="#main" rel="external">{language.t(|s| s.skip_to_content)}</a> }
}
