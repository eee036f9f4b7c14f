//! Logging out.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_location, hooks::use_navigate};

use super::notices::Notices;
use crate::{
    dom,
    i18n::strings::{Language, Strings},
    pages::Page,
    session::{
        browser,
        guards::{Guard, Leaving},
        state::LoggedOut,
    },
};

/// The button that ends the session and goes to the log-in.
#[component]
pub fn LogOut(
    /// What it says.
    #[prop(default = |strings| strings.log_out)]
    label: fn(&'static Strings) -> &'static str,
    /// Its look.
    #[prop(default = "btn btn-outline")]
    class: &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    let leaving = expect_context::<Leaving>().0;
    let navigate = use_navigate();
    let pathname = use_location().pathname;
    let busy = RwSignal::new(false);
    let log_out = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leaving.set_value(true);
        let navigate = navigate.clone();
        dom::spawn(async move {
            let outcome = browser::log_out().await;
            busy.try_set(false);
            notices.clear();
            match outcome {
                LoggedOut::Everywhere => notices.status(|strings| strings.logged_out),
                LoggedOut::HereOnly => notices.alert(|strings| strings.logged_out_locally),
            }
            // From a guarded page the guard leads to the log-in.
            if Page::at(&pathname.get_untracked()).guard() == Guard::None {
                navigate(
                    "/login",
                    NavigateOptions { resolve: false, ..NavigateOptions::default() },
                );
            }
        });
    };
    view! {
        <button
            type="button"
            class=class
            aria-busy=dom::yes(busy)
            aria-disabled=dom::yes(busy)
            on:click=log_out
        >
            <span class="spinner" aria-hidden="true"></span>
            <span>{language.t(label)}</span>
        </button>
    }
}
