//! `/settings/security`: password change, alerts and recent activity.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{activity, alerts};
use crate::{
    components::{
        field::{Field, FieldState, hidden_username},
        form::{FormError, FormState},
        new_password::{NewPassword, NewPasswordFields},
        submit_button::SubmitButton,
        time::{self, Precision},
        toasts::Toasts,
    },
    dom,
    i18n::strings::{Language, Strings},
    pages::profile_resource::ProfileResource,
    protocol::{
        auth::Reauthentication,
        error::{ApiError, Code},
        profile::PasswordChange,
    },
    server_fns::{change_password, reauthenticate},
    session::browser::{self, SessionContext},
    validation,
};

/// Cards of the section.
pub(super) fn view() -> AnyView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let auth = SessionContext::of_page().auth;
    let profile = ProfileResource::new();
    let changed_at =
        profile.text(|me, lang| time::format_time(me.password_changed_at, Precision::Day, lang));
    let username =
        move || auth.with(|auth| auth.user().map(|user| user.username.clone()).unwrap_or_default());
    let current = FieldState::new(validation::password::check_present);
    let password = NewPassword::replacing(move || untrack(username));
    let [chosen, confirmation] = password.fields();
    let form = FormState::new(vec![("current_password", current), chosen, confirmation]);
    let submit = move |event: SubmitEvent| {
        let (before, after) = (current.value(), password.value());
        let call = async move {
            reauthenticate_with(&before).await?;
            change_password(PasswordChange {
                current_password: Some(before),
                password: Some(after),
            })
            .await?;
            toasts.status(|strings| strings.password_changed);
            // The page may have been left meanwhile.
            if form.busy.try_get_untracked().is_some() {
                form.reset([""; 3]);
                profile.refresh();
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card">
            <h2>{language.t(|s| s.change_password)}</h2>
            <p class="lead" aria-busy=move || profile.is_loading().then_some("true")>
                <span hidden=move || profile.has_failed()>
                    {language.t(|s| s.password_last_changed)} " "
                    <span class="value">{changed_at}</span>
                    <br />
                </span>
                {language.t(|s| s.change_password_text)}
            </p>
            <form class="form-narrow" method="post" novalidate on:submit=submit>
                {hidden_username()}
                <FormError form />
                <Field
                    state=current
                    name="current_password"
                    label=|s| s.current_password
                    autocomplete="current-password"
                    secret=true
                />
                <NewPasswordFields of=password label=|s| s.new_password />
                <div class="form-actions card-footer">
                    <SubmitButton label=|s| s.change_password busy=form.busy />
                </div>
            </form>
        </section>
        {alerts::card(profile)}
        {activity::card()}
    }
    .into_any()
}

/// Obtains the fresh token that a password change requires. The form has the current password
/// already, so the password dialog is not shown.
async fn reauthenticate_with(password: &str) -> Result<(), ApiError> {
    match reauthenticate(Reauthentication { password: Some(password.to_owned()) }).await {
        Ok(proof) => {
            browser::complete_reauth(proof);
            Ok(())
        }
        Err(mut error) => {
            // The account is known here, so only the password can be wrong.
            let why = match error.code {
                Code::InvalidCredentials => {
                    Some(Strings::of(dom::lang()).wrong_password.to_owned())
                }
                _ => error.fields.remove("password"),
            };
            if let Some(why) = why {
                error.code = Code::ValidationFailed;
                error.fields.insert("current_password".to_owned(), why);
            }
            Err(error)
        }
    }
}
