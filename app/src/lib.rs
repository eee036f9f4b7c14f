//! What a person sees and what the wire carries.
//!
//! Compiles to WASM (feature `hydrate`) and into the server (feature `ssr`); knows no database, no
//! cryptography and no configuration. What it needs of the server it declares in `backend`.

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
    notices::{NoticeArea, Notices},
    progress::ProgressLine,
};
use i18n::strings::Language;
use pages::{
    Page,
    home::Home,
    login::Login,
    not_found::NotFound,
    register::{Register, Registrant},
    rooms::{Enter, Rooms},
};
use session::{
    activity, browser,
    guards::{self, Leaving},
    state::Ending,
};

use crate::protocol::error::Reason;

/// The app: the same on the server, which renders it, and in the browser, which wakes it up.
#[component]
pub fn App(
    /// The rooms' code, where it is here already.
    #[prop(optional_no_strip)]
    rooms: Option<Enter>,
) -> impl IntoView {
    let signals = browser::provide();
    let rooms = Rooms::provide(rooms);
    provide_context(Language(RwSignal::new(document::lang())));
    provide_context(Leaving(StoredValue::new(false)));
    provide_context(Registrant(StoredValue::new(None)));
    let notices = Notices::provide();
    // An effect runs in the browser only, and after what the server has rendered is awake.
    Effect::new(move |_| {
        browser::begin_page(signals);
        activity::watch(signals);
        let _ = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && !event.default_prevented() {
                notices.close_newest();
            }
        });
    });
    Effect::new(move |_| {
        if let Some(why) = signals.ended.get() {
            notices.alert(ending(why));
        }
    });
    // What somebody who is signed in will look at next.
    Effect::new(move |_| {
        if signals.auth.with(|auth| auth.user().is_some()) {
            rooms.open();
        }
    });
    view! {
        <Router>
            <Guarded />
            <ProgressLine />
            <Header />
            <main id="main">
                <CurrentPage />
            </main>
            <NoticeArea />
        </Router>
    }
}

/// The page at the address, and what follows a person from page to page. [`Page`] knows the
/// addresses; the router's own table of routes would know them a second time, and would make up a
/// twentieth of what every visitor loads.
#[component]
fn CurrentPage() -> impl IntoView {
    let rooms = Rooms::of_page();
    let location = use_location();
    let pathname = location.pathname;
    // As between documents, the page that is left stays until the next one is there.
    let page = Memo::new(move |before| {
        let page = Page::at(&pathname.read());
        before.copied().filter(|_| !rooms.has(page)).unwrap_or(page)
    });
    Effect::new(move |_| {
        let is_room = Page::at(&pathname.read()).is_room();
        rooms.go_to(is_room.then(|| guards::address(&location)));
    });
    announce(page);
    move || match page.get() {
        Page::Home => view! { <Home /> }.into_any(),
        Page::Login => view! { <Login /> }.into_any(),
        Page::Register => view! { <Register /> }.into_any(),
        Page::NotFound => view! { <NotFound /> }.into_any(),
        room @ (Page::Profile | Page::Files | Page::Settings(_) | Page::Users) => rooms.view(room),
    }
}

/// Titles the window, and moves the focus to the heading of a page that has been reached, so that
/// screen readers announce it.
fn announce(page: Memo<Page>) {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let address = use_context::<BrowserUrl>();
    Effect::new(move |before: Option<Page>| {
        let page = page.get();
        // What waits for its page is not written into the history yet.
        if let Some(address) = address.as_ref().filter(|_| Page::at(&pathname.read()) == page) {
            address.ready_to_complete();
        }
        document().set_title(&document::title(page, language.strings()));
        if before.is_some_and(|before| before != page) {
            // One frame later the new page is there.
            request_animation_frame(|| {
                if let Some(heading) = dom::find("h1") {
                    dom::focus(&heading);
                }
            });
        }
        page
    });
}

/// The end of a session in words.
fn ending(why: Ending) -> fn(&'static i18n::strings::Strings) -> &'static str {
    match why {
        Ending::Revoked(Reason::LoggedOut) => |strings| strings.session_logged_out,
        Ending::Revoked(Reason::EndedElsewhere) => |strings| strings.session_ended_elsewhere,
        Ending::Revoked(Reason::Reused) => |strings| strings.session_reused,
        Ending::Revoked(Reason::Disabled) => |strings| strings.session_disabled,
        Ending::Revoked(Reason::PasswordChanged) => |strings| strings.session_password_changed,
        Ending::Expired | Ending::Revoked(Reason::Unknown) => |strings| strings.session_expired,
    }
}

/// The guards, and the way past the bar.
#[component]
fn Guarded() -> impl IntoView {
    guards::watch(browser::Signals::of_page());
    let language = Language::of_page();
    view! { <a class="skip-link" href="#main" rel="external">{language.t(|s| s.skip_to_content)}</a> }
}
