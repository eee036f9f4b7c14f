//! Form of a dialog that asks for a confirmation.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    form::{FormError, FormState},
    submit_button::SubmitButton,
};
use crate::i18n::strings::{Language, Strings};

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// The form: title, content, the error of the last attempt, the action and Cancel.
#[component]
pub fn ConfirmForm(
    /// State of the form.
    form: FormState,
    /// Id of the title, which names the dialog.
    title_id: &'static str,
    /// Title.
    title: Text,
    /// Label of the action.
    label: Text,
    /// CSS classes of the action.
    class: &'static str,
    /// Id of Cancel. The dialog focuses it, so that pressing Enter does nothing.
    cancel_id: &'static str,
    /// Performs the action.
    #[prop(into)]
    on_submit: Callback<SubmitEvent>,
    /// Closes the dialog.
    #[prop(into)]
    on_cancel: Callback<()>,
    /// Explanation, and fields.
    children: Children,
) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <form method="post" novalidate on:submit=move |event| on_submit.run(event)>
            <h2 id=title_id>{language.t(title)}</h2>
            {children()}
            <FormError form />
            <div class="form-actions">
                <SubmitButton label busy=form.busy class />
                <button
                    type="button"
                    id=cancel_id
                    class="btn btn-ghost"
                    on:click=move |_| on_cancel.run(())
                >
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </form>
    }
    .into_any()
}
