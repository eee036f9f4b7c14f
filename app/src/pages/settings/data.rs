//! `/settings/data`: data export and account deletion.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        submit_button::SubmitButton,
        time,
        toasts::Toasts,
    },
    dom,
    guards::LogoutInProgress,
    i18n::strings::Language,
    protocol::{files::export_file_name, paths::EXPORT, profile::Confirmation},
    server_fns::delete_account,
    session::browser::{self, SessionContext},
    validation::Problem,
};

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
    let auth = SessionContext::of_page().auth;
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let archive = browser::download(EXPORT, ZIP).await?;
            let username =
                auth.with_untracked(|auth| auth.user().map(|user| user.username.clone()));
            let name = export_file_name(&username.unwrap_or_default(), &time::today());
            dom::save_file(&name, ZIP, &archive);
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
                <div class="form-actions card-footer">
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
    let is_name = move |typed: &str| {
        untrack(username).is_some_and(|name| typed.trim().eq_ignore_ascii_case(name.trim()))
    };
    let confirmation =
        FieldState::new(
            move |typed| {
                if is_name(typed) { Ok(()) } else { Err(Problem::UsernameMismatch) }
            },
        );
    let is_confirmed = Memo::new(move |_| {
        confirmation.track();
        is_name(&confirmation.value())
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
        <section class="card card-danger">
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
                <div class="form-actions card-footer">
                    <button
                        type="submit"
                        class="btn btn-danger"
                        disabled=move || !is_confirmed.get()
                        aria-busy=dom::yes(form.busy)
                    >
                        <span class="spinner" aria-hidden="true"></span>
                        <span>{language.t(|s| s.delete_submit)}</span>
                    </button>
                </div>
            </form>
        </section>
    }
    .into_any()
}
