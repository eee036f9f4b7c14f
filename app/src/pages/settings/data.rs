//! `/settings/data`: data export and account deletion.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    dom,
    guards::LogoutInProgress,
    i18n::strings::Language,
    protocol::{paths::EXPORT, profile::Confirmation},
    server_fns::delete_account,
    session::browser::{self, SessionContext},
    validation::Problem,
};

/// Name of the exported file.
const EXPORT_FILE_NAME: &str = "gatehouse.zip";
const ZIP: &str = "application/zip";

/// Cards of the section.
pub(super) fn view() -> AnyView {
    view! {
        {export()}
        {deletion()}
    }
    .into_any()
}

fn export() -> AnyView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let call = async move {
            dom::save_file(EXPORT_FILE_NAME, ZIP, &browser::download(EXPORT, ZIP).await?);
            toasts.status(|strings| strings.export_done);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card">
            <h2>{language.t(|s| s.export_title)}</h2>
            <p class="lead">{language.t(|s| s.export_text)}</p>
            <form method="post" novalidate on:submit=submit>
                <FormError form />
                <div class="form-actions">
                    <SubmitButton label=|s| s.export_submit busy=form.busy />
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn deletion() -> AnyView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let auth = SessionContext::of_page().auth;
    let logout_in_progress = expect_context::<LogoutInProgress>().0;
    let username = move || auth.with(|auth| auth.user().map(|user| user.username.clone()));
    // The server accepts other spellings too; comparing here avoids a password prompt for a wrong
    // name.
    let confirmation = FieldState::new(move |typed| match untrack(username) {
        Some(name) if typed.trim().eq_ignore_ascii_case(name.trim()) => Ok(()),
        _ => Err(Problem::UsernameMismatch),
    });
    let form = FormState::new(vec![("username", confirmation)]);
    let submit = move |event: SubmitEvent| {
        let name = confirmation.value();
        let call = async move {
            delete_account(Confirmation { username: Some(name) }).await?;
            logout_in_progress.set_value(true);
            // The server has ended all sessions: this clears the stored tokens and informs the
            // other tabs.
            browser::log_out().await;
            toasts.clear();
            toasts.status(|strings| strings.account_deleted);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card">
            <h2>{language.t(|s| s.delete_title)}</h2>
            <p class="lead">{language.t(|s| s.delete_text)}</p>
            <p class="lead"><strong>{username}</strong></p>
            <form class="form-narrow" method="post" novalidate on:submit=submit>
                <FormError form />
                <Field
                    state=confirmation
                    name="username"
                    label=|s| s.delete_confirm
                    autocomplete="off"
                    enterkeyhint="go"
                />
                <SubmitButton
                    label=|s| s.delete_submit
                    busy=form.busy
                    class="btn btn-outline btn-danger btn-block"
                />
            </form>
        </section>
    }
    .into_any()
}
