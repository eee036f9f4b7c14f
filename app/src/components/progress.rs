//! Progress line at the top of the window while requests are pending.

use leptos::prelude::*;

use crate::session::browser::SessionContext;

/// The progress line. The style sheet delays it by 150 ms, so that fast requests cause no flicker.
#[component]
pub fn ProgressLine() -> impl IntoView {
    let pending_requests = SessionContext::of_page().pending_requests;
    let busy = move || (pending_requests.get() > 0).then_some("");
    view! { <div class="progress-line" aria-hidden="true" data-busy=busy></div> }
}
