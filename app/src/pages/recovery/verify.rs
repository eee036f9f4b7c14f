//! `/verify`: confirms an address with the token of a link. After a login that needs a verified
//! address, it offers to send that link again.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{LinkToken, card, incomplete, link, outcome, text};
use crate::{
    components::{
        form::{FormError, FormState},
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    i18n::{authenticated::can_log_in_with, strings::Language},
    pages::login::UnverifiedLogin,
    protocol::{
        addresses::{AddressVerification, VerificationRequest},
        auth::Credentials,
        error::Code,
    },
    routes::Page,
    server_fns::{send_verification, verify_address},
    session::browser::SessionContext,
};

/// Step of the page.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    Confirm,
    /// A login was refused because its account has no verified address.
    Unverified,
    /// The URL has no token.
    Incomplete,
    /// The token is used, expired or unknown.
    Invalid,
    /// Another account has verified the address.
    Taken,
    /// This address is verified.
    Done(String),
}

/// The page.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let unverified = expect_context::<UnverifiedLogin>().0;
    // The password is kept no longer than it is of use.
    on_cleanup(move || drop(unverified.try_set_value(None)));
    let step = RwSignal::new(Step::Confirm);
    let token = LinkToken::read(move || {
        let is_known = unverified.with_value(Option::is_some);
        step.set(if is_known { Step::Unverified } else { Step::Incomplete });
    });
    card(Page::Verify, move || match step.get() {
        Step::Confirm => confirm(step, token),
        Step::Unverified => send_again(),
        Step::Incomplete => incomplete(way_to_address()),
        Step::Invalid => {
            outcome(false, |s| s.link_invalid, text(|s| s.verify_invalid_text), way_to_address())
        }
        Step::Taken => {
            outcome(false, |s| s.verify_taken, text(|s| s.verify_taken_text), way_to_address())
        }
        Step::Done(email) => outcome(
            true,
            |s| s.verify_done,
            move || can_log_in_with(language.get(), &email),
            way_to_address(),
        ),
    })
}

/// The way to the address in the settings, or to the login, which leads there.
fn way_to_address() -> AnyView {
    let auth = SessionContext::of_page().auth;
    let way = move || {
        if auth.with(|auth| auth.user().is_some()) {
            link(Page::SettingsProfile, |s| s.section_profile).into_any()
        } else {
            link(Page::Login, |s| s.log_in).into_any()
        }
    };
    way.into_any()
}

fn confirm(step: RwSignal<Step>, token: LinkToken) -> AnyView {
    let language = Language::of_page();
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let body = AddressVerification { token: token.get(), code: None };
        let call = async move {
            step.try_set(match verify_address(body).await {
                Ok(answer) => Step::Done(answer.email),
                Err(error) if error.code == Code::CodeInvalid => Step::Invalid,
                Err(error) if error.code == Code::AddressTaken => Step::Taken,
                Err(error) => return Err(error),
            });
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <p class="lead">{language.t(|s| s.verify_text)}</p>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            <SubmitButton label=|s| s.verify_submit busy=form.busy />
        </form>
    }
    .into_any()
}

/// Offers to send the mail again to the owner of the account, who has just given the password.
fn send_again() -> AnyView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let unverified = expect_context::<UnverifiedLogin>().0;
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let Some(Credentials { username, password, .. }) = unverified.get_value() else {
                return Ok(());
            };
            let body = VerificationRequest { username, password };
            send_verification(body).await?;
            toasts.status(|strings| strings.mail_sent_again);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <p class="lead">{language.t(|s| s.unverified_text)}</p>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            <SubmitButton label=|s| s.mail_again busy=form.busy />
        </form>
        <p class="aside">
            <a href=Page::Login.path()>{language.t(|s| s.log_in)}</a>
        </p>
    }
    .into_any()
}
