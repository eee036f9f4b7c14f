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
pub mod guards;
pub mod i18n;
pub mod page_settings;
pub mod pages;
pub mod protocol;
pub mod routes;
pub mod server_fns;
pub mod session;
pub mod validation;

use leptos::{ev, prelude::*};
use leptos_router::components::Router;

use components::{
    header::Header,
    new_password::MinPasswordLength,
    progress::ProgressLine,
    toasts::{ToastRegion, Toasts},
};
use guards::LogoutInProgress;
use i18n::strings::Language;
use pages::{
    current_page::CurrentPage,
    lazy_pages::{LazyPages, PageRenderer},
    login::UnverifiedLogin,
    register::PrefillUsername,
};
use session::{
    browser::{self, activity},
    state::SessionEnd,
};

use crate::{protocol::error::Reason, routes::Page};

/// Root component, rendered on the server and hydrated in the browser.
#[component]
pub fn App(
    /// Renderer of the lazy pages, if their chunk is loaded already.
    #[prop(optional_no_strip)]
    lazy_pages: Option<PageRenderer>,
) -> impl IntoView {
    let context = browser::provide_session_context();
    let lazy_pages = LazyPages::provide(lazy_pages);
    let language = RwSignal::new(page_settings::lang());
    provide_context(Language(language));
    provide_context(MinPasswordLength(page_settings::password_min()));
    provide_context(LogoutInProgress(StoredValue::new(false)));
    provide_context(PrefillUsername(StoredValue::new(None)));
    provide_context(UnverifiedLogin(StoredValue::new(None)));
    let toasts = Toasts::provide();
    // Effects run in the browser only, after hydration.
    Effect::new(move |_| {
        browser::start(context);
        activity::watch(context);
        // The footer is not part of the app.
        let _ = window_event_listener_untyped("languagechange", move |_| {
            language.set(dom::lang());
        });
        let _ = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && !event.default_prevented() {
                toasts.close_newest();
            }
        });
    });
    Effect::new(move |_| {
        if let Some(end) = context.session_ended.get() {
            let is_reused = end == SessionEnd::Revoked(Reason::Reused);
            toasts.alert_with_link(
                session_end_message(end),
                is_reused.then_some(Page::SettingsDevices),
            );
        }
    });
    // Signed-in users will navigate to these pages next.
    Effect::new(move |_| {
        if context.auth.with(|auth| auth.user().is_some()) {
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

/// Returns the alert that explains why the session has ended.
fn session_end_message(end: SessionEnd) -> fn(&'static i18n::strings::Strings) -> &'static str {
    match end {
        SessionEnd::Revoked(Reason::LoggedOut) => |strings| strings.session_logged_out,
        SessionEnd::Revoked(Reason::EndedElsewhere) => |strings| strings.session_ended_elsewhere,
        SessionEnd::Revoked(Reason::Reused) => |strings| strings.session_reused,
        SessionEnd::Revoked(Reason::Disabled) => |strings| strings.session_disabled,
        SessionEnd::Revoked(Reason::PasswordChanged) => |strings| strings.session_password_changed,
        SessionEnd::Expired | SessionEnd::Revoked(Reason::Unknown) => {
            |strings| strings.session_expired
        }
    }
}

/// Runs the route guards, and renders the skip link.
#[component]
fn RouteGuards() -> impl IntoView {
    guards::watch(browser::SessionContext::of_page());
    let language = Language::of_page();
    view! {
        <a class="skip-link" href="#main" rel="external">
            {language.t(|s| s.skip_to_content)}
        </a>
    }
}
