//! `/settings/data`: everything about a person, to take along; and the end of their account.

use bytes::Bytes;
use http::Method;
use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    components::{
        button::Submit,
        field::{Field, FieldState},
        form::{FormFailure, FormState},
        notices::Notices,
    },
    dom,
    i18n::strings::Language,
    protocol::{
        error::{ApiError, Code},
        me::{EXPORT, delete_account},
    },
    session::{
        browser::{self, Signals},
        guards::Leaving,
        wire::Call,
    },
    validation::Problem,
};

/// What the file is called.
const ARCHIVE: &str = "gatehouse.zip";
const ZIP: &str = "application/zip";

/// The section's cards.
pub(super) fn view() -> AnyView {
    view! {
        {export()}
        {deletion()}
    }
    .into_any()
}

fn export() -> AnyView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let call = async move {
            dom::save_file(ARCHIVE, ZIP, &archive().await?);
            notices.status(|strings| strings.export_done);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card">
            <h2>{language.t(|s| s.export_title)}</h2>
            <p class="lead">{language.t(|s| s.export_text)}</p>
            <form method="post" novalidate on:submit=submit>
                <FormFailure form />
                <div class="form-actions">
                    <Submit label=|s| s.export_submit busy=form.busy />
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// Everything about the person, as the server has put it together.
async fn archive() -> Result<Bytes, ApiError> {
    let call = Call {
        method: Method::GET,
        url: EXPORT.to_owned(),
        content_type: String::new(),
        accept: ZIP.to_owned(),
        body: None,
    };
    let answer = browser::send(call).await.map_err(|_| ApiError::local(Code::Network))?;
    match answer.failure() {
        Some(error) => Err(error),
        None => Ok(answer.body),
    }
}

fn deletion() -> AnyView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    let auth = Signals::of_page().auth;
    let leaving = expect_context::<Leaving>().0;
    let username = move || auth.with(|auth| auth.user().map(|user| user.username.clone()));
    // The server finds the name in any spelling; whoever types it as it stands there is asked for
    // the password only then.
    let typed = FieldState::new(move |typed| match untrack(username) {
        Some(name) if typed.trim().eq_ignore_ascii_case(name.trim()) => Ok(()),
        _ => Err(Problem::NameDiffers),
    });
    let form = FormState::new(vec![("username", typed)]);
    let submit = move |event: SubmitEvent| {
        let name = typed.value();
        let call = async move {
            delete_account(Some(name)).await?;
            leaving.set_value(true);
            // There is nothing left to end but what this browser keeps; the other tabs hear of it.
            browser::log_out().await;
            notices.clear();
            notices.status(|strings| strings.account_deleted);
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
                <FormFailure form />
                <Field
                    state=typed
                    name="username"
                    label=|s| s.delete_confirm
                    autocomplete="off"
                    enterkeyhint="go"
                />
                <Submit label=|s| s.delete_submit busy=form.busy class="btn btn-outline btn-danger btn-block" />
            </form>
        </section>
    }
    .into_any()
}
