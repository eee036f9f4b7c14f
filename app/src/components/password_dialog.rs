//! Step-up authentication dialog: asks for the password when the server requires a fresh token. The
//! requests that need it wait until it closes.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    dialog::Dialog,
    field::{Field, FieldState, hidden_username},
    form::{FormError, FormState},
    submit_button::SubmitButton,
};
use crate::{
    dom,
    i18n::strings::{Language, Strings},
    protocol::{auth::Reauthentication, error::Code},
    server_fns::reauthenticate,
    session::browser::{self, SessionContext},
    validation,
};

/// The dialog; open while re-authentication is pending.
#[component]
pub fn PasswordDialog() -> impl IntoView {
    let reauth_pending = SessionContext::of_page().reauth_pending;
    // Leaving the page cancels the pending requests.
    on_cleanup(browser::cancel_reauth);
    view! {
        <Dialog
            is_open=reauth_pending
            on_close=|()| browser::cancel_reauth()
            title_id="reauth-title"
            initial_focus="#reauth_password"
        >
            {move || reauth_pending.get().then(password_form)}
        </Dialog>
    }
}

fn password_form() -> AnyView {
    let language = Language::of_page();
    let password = FieldState::new(validation::password::check_present);
    let form = FormState::new(vec![("password", password)]);
    let submit = move |event: SubmitEvent| {
        let call = async move {
            let body = Reauthentication { password: Some(password.value()) };
            match reauthenticate(body).await {
                Ok(proof) => browser::complete_reauth(proof),
                Err(mut error) => {
                    // The account is known here, so only the password can be wrong.
                    if error.code == Code::InvalidCredentials {
                        let wrong = Strings::of(dom::lang()).wrong_password;
                        error.fields.insert("password".to_owned(), wrong.to_owned());
                    }
                    return Err(error);
                }
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <form method="post" novalidate on:submit=submit>
            <h2 id="reauth-title">{language.t(|s| s.reauth_title)}</h2>
            <p class="lead">{language.t(|s| s.reauth_text)}</p>
            <FormError form />
            {hidden_username()}
            // A name that no other field of a page has.
            <Field
                state=password
                name="reauth_password"
                label=|s| s.password
                autocomplete="current-password"
                enterkeyhint="go"
                secret=true
            />
            <div class="form-actions">
                <SubmitButton label=|s| s.reauth_submit busy=form.busy />
                <button type="button" class="btn btn-ghost" on:click=move |_| browser::cancel_reauth()>
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </form>
    }
    .into_any()
}
