//! Buttons that are busy while their call runs.

use leptos::prelude::*;

use crate::{
    dom,
    i18n::strings::{Language, Strings},
};

/// The button that sends a form. While it is busy its width stays, it keeps the focus, and pressing
/// it does nothing.
#[component]
pub fn Submit(
    /// What it does.
    label: fn(&'static Strings) -> &'static str,
    /// Whether its call is running.
    busy: RwSignal<bool>,
    /// Its look.
    #[prop(default = "btn btn-primary btn-block")]
    class: &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <button
            type="submit"
            class=class
            aria-busy=dom::yes(busy)
            aria-disabled=dom::yes(busy)
        >
            <span class="spinner" aria-hidden="true"></span>
            <span>{language.t(label)}</span>
        </button>
    }
}
