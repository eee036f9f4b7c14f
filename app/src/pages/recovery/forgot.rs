//! `/forgot`: asks for a mail that resets the password, and takes its digits. They count in the
//! browser that asked, wherever the mail is read.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{at_digits, card, checked_digits, digits_field, digits_input, resend_form};
use crate::{
    components::{
        field::{Field, FieldState, hidden_username_of},
        form::{FormError, FormState},
        icons,
        new_password::{NewPassword, NewPasswordFields},
        submit_button::SubmitButton,
    },
    i18n::strings::{Language, Strings},
    page_settings,
    protocol::{
        addresses::{ForgottenPassword, PasswordReset},
        error::ApiError,
    },
    routes::Page,
    server_fns::{forgot_password, reset_password},
    validation::Problem,
};

/// Step of the page.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    /// Asks for the account.
    Ask,
    /// The mail was requested for this username.
    Sent(String),
    /// The password is set.
    Done,
}

/// The page.
pub(super) fn view() -> AnyView {
    if !page_settings::has_mail() {
        return card(Page::Forgot, no_mail);
    }
    let step = RwSignal::new(Step::Ask);
    card(Page::Forgot, move || match step.get() {
        Step::Ask => ask(step),
        Step::Sent(username) => enter(step, username),
        Step::Done => super::reset::done(),
    })
}

/// Content of the page on a server that sends no mail.
fn no_mail() -> AnyView {
    let language = Language::of_page();
    view! {
        <p class="lead">{language.t(|s| s.cannot_log_in_text)}</p>
        {page_settings::support_url()
            .map(|url| {
                view! {
                    <a class="btn btn-outline btn-block" href=url>
                        {language.t(|s| s.contact_support)}
                    </a>
                }
            })}
        {back_to_login()}
    }
    .into_any()
}

fn back_to_login() -> impl IntoView {
    let language = Language::of_page();
    view! {
        <p class="aside">
            <a href=Page::Login.path()>{language.t(|s| s.log_in)}</a>
        </p>
    }
}

fn ask(step: RwSignal<Step>) -> AnyView {
    let language = Language::of_page();
    let username = FieldState::new(|typed| {
        if typed.trim().is_empty() { Err(Problem::UsernameMissing) } else { Ok(()) }
    });
    let form = FormState::new(vec![("username", username)]);
    let submit = move |event: SubmitEvent| {
        let typed = username.value();
        let call = async move {
            send(&typed).await?;
            step.try_set(Step::Sent(typed));
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <p class="lead">{language.t(|s| s.forgot_text)}</p>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            <Field
                state=username
                name="username"
                label=|s| s.username
                autocomplete="username"
                inputmode="email"
                enterkeyhint="send"
            />
            <SubmitButton label=|s| s.forgot_submit busy=form.busy />
        </form>
        {back_to_login()}
    }
    .into_any()
}

async fn send(username: &str) -> Result<(), ApiError> {
    forgot_password(ForgottenPassword { username: Some(username.to_owned()) }).await.map(drop)
}

/// The form for the digits and the new password.
fn enter(step: RwSignal<Step>, username: String) -> AnyView {
    let language = Language::of_page();
    let digits = digits_field();
    let password = {
        let username = username.clone();
        NewPassword::of(move || username.clone())
    };
    let [chosen, confirmation] = password.fields();
    let form = FormState::new(vec![("code", digits), chosen, confirmation]);
    let submit = {
        let username = username.clone();
        move |event: SubmitEvent| {
            let Some(code) = checked_digits(digits, &event) else { return };
            let body = PasswordReset {
                token: None,
                code: Some(code),
                username: Some(username.clone()),
                password: Some(password.value()),
            };
            let call = async move {
                reset_password(body).await.map_err(at_digits)?;
                step.try_set(Step::Done);
                Ok(())
            };
            form.submit(&event, Box::pin(call));
        }
    };
    let resend = {
        let username = username.clone();
        move || {
            let username = username.clone();
            async move { send(&username).await }
        }
    };
    super::focus_outcome();
    view! {
        <div role="status" id="outcome" class="success" tabindex="-1">
            {icons::tick()}
            <div>
                <h2>{language.t(|s| s.mail_sent)}</h2>
                <p>{language.t(|s| s.mail_sent_text)}</p>
            </div>
        </div>
        <form method="post" novalidate on:submit=submit>
            <FormError form />
            // Password managers store the new password for this account.
            {hidden_username_of(move || username.clone())}
            {digits_input(digits, |lang| Strings::of(lang).digits_hint.to_owned(), "next")}
            <NewPasswordFields of=password label=|s| s.new_password />
            <SubmitButton label=|s| s.reset_submit busy=form.busy />
        </form>
        {resend_form(resend, "aside", Some(|s| s.mail_missing))}
    }
    .into_any()
}
