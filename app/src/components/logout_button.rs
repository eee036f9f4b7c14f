//! Logout button.

use leptos::{prelude::*, tachys::html::InertElement};
use leptos_router::{NavigateOptions, hooks::use_location, hooks::use_navigate};

use super::toasts::Toasts;
use crate::{
    dom,
    guards::LogoutInProgress,
    i18n::strings::{Language, Strings},
    routes::{Access, Page},
    session::{browser, state::LogoutOutcome},
};

/// Button that ends the session and leads to the login page.
#[component]
pub fn LogoutButton(
    /// Label.
    #[prop(default = |strings| strings.log_out)]
    label: fn(&'static Strings) -> &'static str,
    /// CSS classes.
    #[prop(default = "btn btn-outline")]
    class: &'static str,
    /// Icon before the label.
    #[prop(optional)]
    icon: Option<InertElement>,
) -> impl IntoView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let logout_in_progress = expect_context::<LogoutInProgress>().0;
    let navigate = use_navigate();
    let pathname = use_location().pathname;
    let busy = RwSignal::new(false);
    let log_out = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        logout_in_progress.set_value(true);
        let navigate = navigate.clone();
        dom::spawn(async move {
            let outcome = browser::log_out().await;
            busy.try_set(false);
            toasts.clear();
            match outcome {
                LogoutOutcome::Everywhere => toasts.status(|strings| strings.logged_out),
                LogoutOutcome::LocalOnly => toasts.alert(|strings| strings.logged_out_locally),
            }
            // On a guarded page the route guard redirects to the login page.
            if Page::at(&pathname.get_untracked()).access() == Access::Public {
                navigate(
                    Page::Login.path(),
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
            {icon}
            <span>{language.t(label)}</span>
        </button>
    }
}
