//! Keeps pages to those whom they are for. A guard replaces the history entry, so that Back never
//! bounces.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
    location::Location,
};

use super::{browser::Signals, state::Auth};
use crate::{
    dom,
    routes::{Access, Page, redirect},
};

/// Sends people to where they may be, whenever who they are or where they are changes.
pub fn watch(signals: Signals) {
    let navigate = use_navigate();
    let leaving = expect_context::<Leaving>().0;
    let location = use_location();
    Effect::new(move |before: Option<Auth>| {
        let auth = signals.auth.get();
        let page = Page::at(&location.pathname.read());
        let target = match (&auth, page.access()) {
            (Auth::Guest, Access::SignedIn | Access::Admin) if leaving.get_value() => {
                Some(Page::Login.path().to_owned())
            }
            (Auth::Guest, Access::SignedIn | Access::Admin) => Some(login_and_back(&location)),
            // The session of somebody who was looking at a page for all was ended by the server.
            (Auth::Guest, Access::Public)
                if !leaving.get_value() && matches!(before, Some(Auth::SignedIn(_))) =>
            {
                Some(login_and_back(&location))
            }
            (Auth::SignedIn(_), Access::SignedOut) => Some(wished_for(&location)),
            _ => None,
        };
        match target {
            // A navigation that is still on its way has no history entry yet: replacing would take
            // that of the page before it.
            Some(target) => {
                let replace = dom::path_and_query() == path_and_query(&location);
                navigate(
                    &target,
                    NavigateOptions { resolve: false, replace, ..NavigateOptions::default() },
                );
            }
            None if page.access() == Access::SignedOut => leaving.set_value(false),
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

/// The address of a page, from its path on.
#[must_use]
pub fn address(location: &Location) -> String {
    path_and_query(location) + &location.hash.get_untracked()
}

/// The address of the login page, with the way back to this one: path, query and fragment.
fn login_and_back(location: &Location) -> String {
    format!("{}?redirect={}", Page::Login.path(), js_sys::encode_uri_component(&address(location)))
}

/// Where this page's address says that a person goes after having logged in.
fn wished_for(location: &Location) -> String {
    // The router's own map decodes a value twice; this one is decoded once, and then judged.
    let query = web_sys::UrlSearchParams::new_with_str(&location.search.get_untracked()).ok();
    redirect::target(query.and_then(|query| query.get("redirect")).as_deref()).to_owned()
}

/// Set while the person is logging out by own choice: there is no page to come back to.
#[derive(Clone, Copy)]
pub struct Leaving(pub StoredValue<bool>);
