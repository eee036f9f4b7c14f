//! The bar at the top. It fits who is looking: guests see the ways in, people who are signed in see
//! theirs.

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

use super::{avatar::Avatar, icons, leave::LogOut, name_of, switches::Switches};
use crate::{
    i18n::strings::{Language, Strings},
    pages::Page,
    protocol::Role,
    session::browser::Signals,
};

/// The bar. Both halves are always there, and the style sheet shows the one that fits: so the right
/// one is on screen before the program is awake.
#[component]
pub fn Header() -> impl IntoView {
    let language = Language::of_page();
    let auth = Signals::of_page().auth;
    let pathname = use_location().pathname;
    let open = RwSignal::new(false);
    let menu = NodeRef::<html::Nav>::new();
    let person = NodeRef::<html::Div>::new();
    // Going somewhere closes the menus.
    Effect::new(move |before: Option<()>| {
        pathname.track();
        auth.track();
        if before.is_some() {
            // It throws where a menu is not shown as one.
            let _ = person.get_untracked().map(|person| person.hide_popover());
            let _ = menu.get_untracked().map(|menu| menu.hide_popover());
        }
    });
    let is_open = move || {
        menu.get_untracked().is_some_and(|menu| menu.matches(":popover-open").unwrap_or(false))
    };
    let name = move || {
        auth.with(|auth| auth.user().map(|user| name_of(user).to_owned())).unwrap_or_default()
    };
    let is_admin =
        move || auth.with(|auth| auth.user().is_some_and(|user| user.role == Role::Admin));
    view! {
        <header class="site-header">
            <a class="brand" href="/">
                {icons::mark()}
                <span>{language.t(|s| s.product)}</span>
            </a>
            <button
                type="button"
                class="menu-button"
                popovertarget="menu"
                aria-controls="menu"
                aria-expanded=move || if open.get() { "true" } else { "false" }
            >
                {icons::bars()}
                <span class="sr-only">{language.t(|s| s.menu)}</span>
            </button>
            <nav
                id="menu"
                class="menu"
                popover="auto"
                node_ref=menu
                aria-label=language.t(|s| s.main_navigation)
                on:toggle=move |_| open.set(is_open())
            >
                {nav_link(Page::Home, "/", "nav-link", |s| s.home)}
                {nav_link(Page::Profile, "/profile", "nav-link for-member", |s| s.profile)}
                <span class="spacer"></span>
                <button type="button" class="person for-member" popovertarget="person-menu">
                    <Avatar class="avatar avatar-small" />
                    <span class="sr-only">{language.t(|s| s.account_menu)}": "</span>
                    <span class="person-name">{name}</span>
                    {icons::down()}
                </button>
                <div id="person-menu" class="person-menu" popover="auto" node_ref=person>
                    {nav_link(Page::Settings(None), "/settings", "nav-link", |s| s.settings)}
                    <span hidden=move || !is_admin()>
                        {nav_link(Page::Users, "/admin/users", "nav-link", |s| s.users)}
                    </span>
                    <LogOut label=|s| s.switch_account class="btn btn-ghost" />
                </div>
                <LogOut class="btn btn-ghost for-member" />
                {nav_link(Page::Login, "/login", "nav-link for-guest", |s| s.log_in)}
                {nav_link(Page::Register, "/register", "nav-link for-guest", |s| s.register)}
            </nav>
            <Switches />
        </header>
    }
}

/// A link that tells whether it leads to where one is.
fn nav_link(
    page: Page,
    href: &'static str,
    class: &'static str,
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let here = move || Page::at(&pathname.read()).is_of(page).then_some("page");
    view! {
        <a class=class href=href aria-current=here>
            {language.t(label)}
        </a>
    }
}
