//! Display of failed requests: a panel in place of the content, or an alert above it.

use leptos::prelude::*;

use super::{
    api_error_view::{self, DisplayedError},
    icons,
};
use crate::i18n::strings::Language;

/// Panel in place of content that could not be loaded, with a button to try again.
#[component]
pub fn ErrorPanel(
    /// Error of the request.
    error: DisplayedError,
    /// Requests the content again.
    #[prop(into)]
    retry: Callback<()>,
    /// Heading.
    #[prop(optional)]
    heading: Option<AnyView>,
    /// CSS classes.
    #[prop(default = "card error-panel")]
    class: &'static str,
    /// Further actions, beside the button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let language = Language::of_page();
    let countdown = api_error_view::retry_countdown(&error, language);
    view! {
        <section class=class>
            <div class="error-mark">{icons::closed_mark()}</div>
            <div role="alert">
                {heading}
                {api_error_view::error_message(error, language.strings())}
            </div>
            {countdown}
            <div class="actions">
                <button type="button" class="btn btn-primary" on:click=move |_| retry.run(())>
                    {language.t(|s| s.retry)}
                </button>
                {children.map(|children| children())}
            </div>
        </section>
    }
    .into_any()
}

/// Alert about an action that has failed.
#[component]
pub fn ErrorAlert(
    /// Error of the request.
    error: DisplayedError,
) -> impl IntoView {
    let language = Language::of_page();
    let countdown = api_error_view::retry_countdown(&error, language);
    view! {
        <div class="alert">
            {icons::warning()}
            <div>
                <div role="alert">{api_error_view::error_message(error, language.strings())}</div>
                {countdown}
            </div>
        </div>
    }
    .into_any()
}
