//! Route guards: redirect users who may not see a page. A guard replaces the history entry, so that
//! Back does not return to the redirect.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
    location::Location,
};

use crate::{
    dom,
    routes::{Access, Page, redirect},
    session::{browser::SessionContext, state::AuthState},
};

/// Redirects whenever the location or the authentication state requires it.
pub fn watch(context: SessionContext) {
    let navigate = use_navigate();
    let logout_in_progress = expect_context::<LogoutInProgress>().0;
    let location = use_location();
    Effect::new(move |before: Option<AuthState>| {
        let auth = context.auth.get();
        let page = Page::at(&location.pathname.read());
        let target = match (&auth, page.access()) {
            (AuthState::Guest, Access::SignedIn | Access::Admin)
                if logout_in_progress.get_value() =>
            {
                Some(Page::Login.path().to_owned())
            }
            (AuthState::Guest, Access::SignedIn | Access::Admin) => Some(login_url(&location)),
            // The server ended the session while a public page was open.
            (AuthState::Guest, Access::Public)
                if !logout_in_progress.get_value()
                    && matches!(before, Some(AuthState::SignedIn(_))) =>
            {
                Some(login_url(&location))
            }
            (AuthState::SignedIn(_), Access::SignedOut) => Some(redirect_target(&location)),
            _ => None,
        };
        match target {
            // A pending navigation has no history entry yet: replacing would overwrite that of the
            // page before it.
            Some(target) => {
                let replace = dom::path_and_query() == path_and_query(&location);
                navigate(
                    &target,
                    NavigateOptions { resolve: false, replace, ..NavigateOptions::default() },
                );
            }
            None if page.access() == Access::SignedOut => logout_in_progress.set_value(false),
            None => {}
        }
        auth
    });
}

fn path_and_query(location: &Location) -> String {
    let search = location.search.get_untracked();
    let separator = if search.is_empty() { "" } else { "?" };
    format!("{}{separator}{search}", location.pathname.get_untracked())
}

/// Path, query and fragment of a location.
#[must_use]
pub fn relative_url(location: &Location) -> String {
    path_and_query(location) + &location.hash.get_untracked()
}

/// URL of the login page, with this page as the target after login.
fn login_url(location: &Location) -> String {
    let target = js_sys::encode_uri_component(&relative_url(location));
    format!("{}?redirect={target}", Page::Login.path())
}

/// Target after login, from the `redirect` parameter of the query.
fn redirect_target(location: &Location) -> String {
    // The router's query map decodes values twice; a redirect target must be decoded once before it
    // is validated.
    let query = web_sys::UrlSearchParams::new_with_str(&location.search.get_untracked()).ok();
    redirect::target(query.and_then(|query| query.get("redirect")).as_deref()).to_owned()
}

/// Set while the user is logging out: the login page then gets no `redirect` parameter.
#[derive(Clone, Copy)]
pub struct LogoutInProgress(pub StoredValue<bool>);
