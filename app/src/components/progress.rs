//! The line at the top that shows that something takes longer than a moment.

use leptos::prelude::*;

use crate::session::browser::Signals;

/// The line. The style sheet keeps it hidden for the first 150 ms: what is quick is not worth a
/// flicker.
#[component]
pub fn ProgressLine() -> impl IntoView {
    let running = Signals::of_page().running;
    let busy = move || (running.get() > 0).then_some("");
    view! { <div class="progress-line" aria-hidden="true" data-busy=busy></div> }
}
