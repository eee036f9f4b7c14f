//! Site header: logo, links and account menu.

use leptos::{html, prelude::*, tachys::html::InertElement};
use leptos_router::hooks::use_location;

use super::{avatar::Avatar, display_name, icons, logout_button::LogoutButton};
use crate::{
    i18n::strings::{Language, Strings},
    page_settings,
    protocol::Role,
    routes::Page,
    session::browser::SessionContext,
};

/// The site header. Guest and signed-in links are always rendered and the style sheet hides one
/// set, so the right links show before hydration. The menu is a list below the name on wide windows
/// and a sheet on phones; the two links of guests are part of the bar on wide windows.
#[component]
pub fn Header() -> impl IntoView {
    let language = Language::of_page();
    let auth = SessionContext::of_page().auth;
    let pathname = use_location().pathname;
    let menu = NodeRef::<html::Div>::new();
    // `hidePopover` throws where the element is not shown as a popover.
    let close = move || {
        let _ = menu.get_untracked().map(|menu| menu.hide_popover());
    };
    // Also for navigation without the menu, and for a logout in another tab.
    Effect::new(move |before: Option<()>| {
        pathname.track();
        auth.track();
        if before.is_some() {
            close();
        }
    });
    let name = move || {
        auth.with(|auth| auth.user().map(|user| display_name(user).to_owned())).unwrap_or_default()
    };
    // Without a nickname the username is shown as the name.
    let username = move || {
        auth.with(|auth| {
            auth.user().filter(|user| user.nickname.is_some()).map(|user| user.username.clone())
        })
    };
    let is_admin =
        move || auth.with(|auth| auth.user().is_some_and(|user| user.role == Role::Admin));
    view! {
        <header class="site-header">
            <a class="brand" href=Page::Home.path() aria-current=current(Page::Home)>
                {icons::mark()}
                <span class="brand-name">{page_settings::site_name()}</span>
            </a>
            <nav class="bar" aria-label=language.t(|s| s.main_navigation)>
                <div class="bar-links for-member">
                    {nav_link(Page::Profile, None, |s| s.profile)}
                    {nav_link(Page::Files, None, |s| s.files)}
                    {nav_link(Page::Settings, None, |s| s.settings)}
                    <span hidden=move || !is_admin()>{nav_link(Page::Users, None, |s| s.users)}</span>
                </div>
                <button type="button" class="account-button" popovertarget="menu">
                    <span class="for-guest">
                        {icons::bars()}
                        <span class="sr-only">{language.t(|s| s.menu)}</span>
                    </span>
                    <span class="for-member">
                        <Avatar class="avatar avatar-small" />
                        <span class="sr-only">{language.t(|s| s.account_menu)}": "</span>
                        <span class="account-name">{name}</span>
                        {icons::down()}
                    </span>
                </button>
                <div id="menu" class="menu" popover="auto" node_ref=menu on:click=move |_| close()>
                    <div class="menu-group for-guest">
                        {nav_link(Page::Login, None, |s| s.log_in)}
                        {nav_link(Page::Register, None, |s| s.register)}
                    </div>
                    <div class="menu-group for-member">
                        <div class="menu-head">
                            <Avatar class="avatar avatar-small" />
                            <p>
                                <strong>{name}</strong>
                                <span>{username}</span>
                            </p>
                        </div>
                        {nav_link(Page::Profile, Some(icons::person()), |s| s.profile)}
                        {nav_link(Page::Files, Some(icons::pictures()), |s| s.files)}
                        {nav_link(Page::Settings, Some(icons::sliders()), |s| s.settings)}
                        <div class="menu-group" hidden=move || !is_admin()>
                            {nav_link(Page::Users, Some(icons::people()), |s| s.users)}
                            {nav_link(Page::Audit, Some(icons::list()), |s| s.audit_log)}
                        </div>
                        <hr />
                        <LogoutButton
                            label=|s| s.switch_account
                            class="nav-link"
                            icon=icons::switch()
                        />
                        <LogoutButton class="nav-link" icon=icons::leave() />
                    </div>
                </div>
            </nav>
        </header>
    }
}

/// Navigation link that marks the current page.
fn nav_link(
    page: Page,
    icon: Option<InertElement>,
    label: fn(&'static Strings) -> &'static str,
) -> AnyView {
    let language = Language::of_page();
    view! {
        <a class="nav-link" href=page.path() aria-current=current(page)>
            {icon}
            {language.t(label)}
        </a>
    }
    .into_any()
}

/// Value of `aria-current` of a link: the current page is the link's, or below it.
fn current(page: Page) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync {
    let pathname = use_location().pathname;
    move || Page::at(&pathname.read()).is_within(page).then_some("page")
}
