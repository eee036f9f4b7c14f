//! The bar at the top. It fits who is looking: guests see the ways in, people who are signed in see theirs.

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

use super::{
    icons::{Bars, Mark},
    initials,
    leave::LogOut,
    name_of,
};
use crate::{
    i18n::words::{Language, Words},
    pages::Page,
    session::{browser::Signals, state::Auth},
};

/// The bar.
///
/// While it is not known who is looking, both halves are there and the style sheet shows the likely one.
#[component]
pub fn Header() -> impl IntoView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let pathname = use_location().pathname;
    let open = RwSignal::new(false);
    let menu = NodeRef::<html::Nav>::new();
    // Going somewhere closes the menu.
    Effect::new(move |before: Option<()>| {
        pathname.track();
        auth.track();
        if before.is_some()
            && let Some(menu) = menu.get_untracked()
        {
            // It throws where the menu is not shown as one.
            let _ = menu.hide_popover();
        }
    });
    let is_member = Memo::new(move |_| auth.with(|auth| auth.user().is_some()));
    let is_guest = Memo::new(move |_| auth.with(Auth::is_guest));
    view! {
        <header class="site-header">
            <a class="brand" href="/">
                <Mark />
                <span>{language.say(|w| w.product)}</span>
            </a>
            <button
                type="button"
                class="menu-button"
                popovertarget="menu"
                aria-controls="menu"
                aria-expanded=move || if open.get() { "true" } else { "false" }
            >
                <Bars />
                <span class="sr-only">{language.say(|w| w.menu)}</span>
            </button>
            <nav
                id="menu"
                class="menu"
                popover="auto"
                node_ref=menu
                aria-label=language.say(|w| w.main_navigation)
                on:toggle=move |_| open.set(menu.get_untracked().is_some_and(|menu| menu.matches(":popover-open").unwrap_or(false)))
            >
                <NavLink page=Page::Home href="/" label=|w| w.home />
                <Show when=move || !is_guest.get()>
                    <div class="for-member contents">
                        <NavLink page=Page::Profile href="/profile" label=|w| w.profile />
                        <span class="spacer"></span>
                        <Person />
                        <LogOut class="btn btn-ghost" />
                    </div>
                </Show>
                <Show when=move || !is_member.get()>
                    <div class="for-guest contents">
                        <span class="spacer"></span>
                        <NavLink page=Page::Login href="/login" label=|w| w.log_in />
                        <NavLink page=Page::Register href="/register" label=|w| w.register />
                    </div>
                </Show>
            </nav>
        </header>
    }
}

/// A link that tells whether it leads to where one is.
#[component]
fn NavLink(
    /// The page.
    page: Page,
    /// Its address.
    href: &'static str,
    /// What it is called.
    label: fn(&'static Words) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let here = Memo::new(move |_| Page::at(&pathname.read()) == page);
    view! {
        <a class="nav-link" href=href aria-current=move || here.get().then_some("page")>
            {language.say(label)}
        </a>
    }
}

/// Who is signed in.
#[component]
fn Person() -> impl IntoView {
    let auth = Signals::of_page().auth;
    let name = Memo::new(move |_| auth.with(|auth| auth.user().map(|user| name_of(user).to_owned())));
    view! {
        <span class="person">
            <span class="avatar-small" aria-hidden="true">{move || name.get().as_deref().map(initials)}</span>
            <span class="person-name">{move || name.get()}</span>
        </span>
    }
}
