//! Submit button with a busy state.

use leptos::prelude::*;

use crate::{
    dom,
    i18n::strings::{Language, Strings},
};

/// The submit button of a form. While busy it keeps its width and focus, and ignores clicks.
#[component]
pub fn SubmitButton(
    /// Label.
    label: fn(&'static Strings) -> &'static str,
    /// True while the form's request is pending.
    busy: RwSignal<bool>,
    /// CSS classes.
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
