//! `/reset`: sets a new password with the token of a link.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{LinkToken, Step, card, incomplete, link, outcome, text};
use crate::{
    components::{
        form::{FormError, FormState},
        new_password::{NewPassword, NewPasswordFields},
        submit_button::SubmitButton,
    },
    i18n::strings::Language,
    protocol::addresses::PasswordReset,
    routes::Page,
    server_fns::reset_password,
};

/// The page.
pub(super) fn view() -> AnyView {
    let (step, token) = Step::with_token();
    card(Page::Reset, move || match step.get() {
        Step::Open => choose(step, token),
        Step::Incomplete => incomplete(link(Page::Forgot, |s| s.mail_again)),
        Step::Invalid => outcome(
            false,
            |s| s.link_invalid,
            text(|s| s.reset_invalid_text),
            link(Page::Forgot, |s| s.mail_again),
        ),
        Step::Done => done(),
    })
}

/// Outcome of a reset.
pub(super) fn done() -> AnyView {
    outcome(true, |s| s.reset_done, text(|s| s.reset_done_text), link(Page::Login, |s| s.log_in))
}

fn choose(step: RwSignal<Step>, token: LinkToken) -> AnyView {
    let language = Language::of_page();
    // The server knows the username and compares the password with it.
    let password = NewPassword::of(String::new);
    let form = FormState::new(password.fields().to_vec());
    let submit = move |event: SubmitEvent| {
        let body = PasswordReset {
            token: token.get(),
            password: Some(password.value()),
            ..PasswordReset::default()
        };
        let call = async move { Step::after(step, reset_password(body).await) };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <p class="lead">{language.t(|s| s.reset_text)}</p>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            <NewPasswordFields of=password label=|s| s.new_password />
            <SubmitButton label=|s| s.reset_submit busy=form.busy />
        </form>
    }
    .into_any()
}
