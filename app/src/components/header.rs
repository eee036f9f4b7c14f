//! Site header: brand, navigation, account menu and preferences.

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

use super::{
    avatar::Avatar, display_name, icons, logout_button::LogoutButton, preferences::Preferences,
};
use crate::{
    i18n::strings::{Language, Strings},
    protocol::Role,
    routes::Page,
    session::browser::SessionContext,
};

/// The site header. Guest and signed-in links are always rendered and the style sheet hides one
/// set, so the right links show before hydration.
#[component]
pub fn Header() -> impl IntoView {
    let language = Language::of_page();
    let auth = SessionContext::of_page().auth;
    let pathname = use_location().pathname;
    let open = RwSignal::new(false);
    let menu = NodeRef::<html::Nav>::new();
    let account_menu = NodeRef::<html::Div>::new();
    // Navigation closes the menus.
    Effect::new(move |before: Option<()>| {
        pathname.track();
        auth.track();
        if before.is_some() {
            // `hidePopover` throws where the element is not shown as a popover.
            let _ = account_menu.get_untracked().map(|account_menu| account_menu.hide_popover());
            let _ = menu.get_untracked().map(|menu| menu.hide_popover());
        }
    });
    let is_open = move || {
        menu.get_untracked().is_some_and(|menu| menu.matches(":popover-open").unwrap_or(false))
    };
    let name = move || {
        auth.with(|auth| auth.user().map(|user| display_name(user).to_owned())).unwrap_or_default()
    };
    let is_admin =
        move || auth.with(|auth| auth.user().is_some_and(|user| user.role == Role::Admin));
    view! {
        <header class="site-header">
            <a class="brand" href=Page::Home.path()>
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
                {nav_link(Page::Home, "nav-link", |s| s.home)}
                {nav_link(Page::Profile, "nav-link for-member", |s| s.profile)}
                <span class="spacer"></span>
                <button
                    type="button"
                    class="account-button for-member"
                    popovertarget="account-menu"
                >
                    <Avatar class="avatar avatar-small" />
                    <span class="sr-only">{language.t(|s| s.account_menu)}": "</span>
                    <span class="account-name">{name}</span>
                    {icons::down()}
                </button>
                <div id="account-menu" class="account-menu" popover="auto" node_ref=account_menu>
                    {nav_link(Page::Settings, "nav-link", |s| s.settings)}
                    <span hidden=move || !is_admin()>
                        {nav_link(Page::Users, "nav-link", |s| s.users)}
                    </span>
                    <LogoutButton label=|s| s.switch_account class="btn btn-ghost" />
                </div>
                <LogoutButton class="btn btn-ghost for-member" />
                {nav_link(Page::Login, "nav-link for-guest", |s| s.log_in)}
                {nav_link(Page::Register, "nav-link for-guest", |s| s.register)}
            </nav>
            <Preferences />
        </header>
    }
}

/// Navigation link that marks the current page.
fn nav_link(
    page: Page,
    class: &'static str,
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let pathname = use_location().pathname;
    let is_current = move || Page::at(&pathname.read()).is_within(page).then_some("page");
    view! {
        <a class=class href=page.path() aria-current=is_current>
            {language.t(label)}
        </a>
    }
}
