//! Asks for the password once more, where an operation wants to be sure who is there. What was
//! being done waits behind it.

use leptos::{ev::SubmitEvent, html, prelude::*};

use super::{
    button::Submit,
    field::{Field, FieldState, hidden_username},
    form::{FormFailure, FormState},
};
use crate::{
    dom,
    i18n::strings::{Language, Strings},
    protocol::{auth::reauthenticate, error::Code},
    session::browser::{self, Signals},
    validation,
};

/// The dialog; closed while there is nothing to ask.
#[component]
pub fn PasswordDialog() -> impl IntoView {
    let asking = Signals::of_page().asking;
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if asking.get() {
            // It throws where it is open already.
            let _ = dialog.show_modal();
            // One frame later the question is in it.
            request_animation_frame(|| {
                if let Some(input) = dom::find("dialog input") {
                    dom::focus(&input);
                }
            });
        } else {
            dialog.close();
        }
    });
    // Whoever goes to another page has given up what was being done here.
    on_cleanup(browser::decline);
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="proof-title" on:close=move |_| browser::decline()>
            {move || asking.get().then(question)}
        </dialog>
    }
}

fn question() -> AnyView {
    let language = Language::of_page();
    let password = FieldState::new(validation::password::is_there);
    let form = FormState::new(vec![("password", password)]);
    let submit = move |event: SubmitEvent| {
        let call = async move {
            match reauthenticate(Some(password.value())).await {
                Ok(proof) => browser::prove(proof),
                Err(mut error) => {
                    // Who it is is known: only the password can be wrong.
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
            <h2 id="proof-title">{language.t(|s| s.reauth_title)}</h2>
            <p class="lead">{language.t(|s| s.reauth_text)}</p>
            <FormFailure form />
            {hidden_username()}
            // No other field of a page has this name.
            <Field
                state=password
                name="proof"
                label=|s| s.password
                autocomplete="current-password"
                enterkeyhint="go"
                secret=true
            />
            <div class="form-actions">
                <Submit label=|s| s.reauth_submit busy=form.busy />
                <button type="button" class="btn btn-ghost" on:click=move |_| browser::decline()>
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </form>
    }
    .into_any()
}
