//! Buttons that are busy while their call runs.

use leptos::prelude::*;

use crate::i18n::words::{Language, Words};

/// The button that sends a form. While it is busy its width stays, it keeps the focus, and pressing it does nothing.
#[component]
pub fn Submit(
    /// What it does.
    label: fn(&'static Words) -> &'static str,
    /// Whether its call is running.
    #[prop(into)]
    busy: Signal<bool>,
) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <button
            type="submit"
            class="btn btn-primary btn-block"
            aria-busy=move || busy.get().then_some("true")
            aria-disabled=move || busy.get().then_some("true")
        >
            <span class="spinner" aria-hidden="true"></span>
            <span>{language.say(label)}</span>
        </button>
    }
}
