//! `/reset`: sets a new password with the token of a link.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{LinkToken, card, incomplete, link, outcome, text};
use crate::{
    components::{
        form::{FormError, FormState},
        new_password::{NewPassword, NewPasswordFields},
        submit_button::SubmitButton,
    },
    i18n::strings::Language,
    protocol::{addresses::PasswordReset, error::Code},
    routes::Page,
    server_fns::reset_password,
};

/// Step of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Choose,
    /// The URL has no token.
    Incomplete,
    /// The token is used, expired or unknown.
    Invalid,
    Done,
}

/// The page.
pub(super) fn view() -> AnyView {
    let step = RwSignal::new(Step::Choose);
    let token = LinkToken::read(move || step.set(Step::Incomplete));
    card(Page::Reset, move || match step.get() {
        Step::Choose => choose(step, token),
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
        let call = async move {
            match reset_password(body).await {
                Ok(_) => step.try_set(Step::Done),
                Err(error) if error.code == Code::CodeInvalid => step.try_set(Step::Invalid),
                Err(error) => return Err(error),
            };
            Ok(())
        };
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
