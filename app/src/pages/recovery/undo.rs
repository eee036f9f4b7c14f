//! `/undo`: "It was not me", from the link of an alert.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{LinkToken, Step, card, incomplete, link, outcome, text};
use crate::{
    components::{
        form::{FormError, FormState},
        submit_button::SubmitButton,
    },
    i18n::strings::Language,
    protocol::addresses::Undo,
    routes::Page,
    server_fns::undo_change,
};

/// The page.
pub(super) fn view() -> AnyView {
    let (step, token) = Step::with_token();
    card(Page::Undo, move || match step.get() {
        Step::Open => confirm(step, token),
        Step::Incomplete => incomplete(link(Page::Forgot, |s| s.choose_password)),
        Step::Invalid => outcome(
            false,
            |s| s.link_invalid,
            text(|s| s.undo_invalid_text),
            link(Page::Forgot, |s| s.choose_password),
        ),
        Step::Done => outcome(
            true,
            |s| s.undo_done,
            text(|s| s.undo_done_text),
            link(Page::Login, |s| s.log_in),
        ),
    })
}

fn confirm(step: RwSignal<Step>, token: LinkToken) -> AnyView {
    let language = Language::of_page();
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let body = Undo { token: token.get() };
        let call = async move { Step::after(step, undo_change(body).await) };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <p class="lead">{language.t(|s| s.undo_text)}</p>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            <SubmitButton
                label=|s| s.undo_submit
                busy=form.busy
                class="btn btn-danger btn-block"
            />
        </form>
    }
    .into_any()
}
