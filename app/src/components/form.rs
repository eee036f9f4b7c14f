//! What happens when a form is sent: checks, one call, and its failure beside what has failed.

use futures::future::LocalBoxFuture;
use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    field::FieldState,
    icons,
    trouble::{self, Trouble},
};
use crate::{
    dom,
    i18n::strings::Language,
    protocol::error::{ApiError, Code},
};

/// A form's fields by the names that the server gives them, and how its call goes.
#[derive(Clone, Copy)]
pub struct FormState {
    /// A call is running: the form cannot be sent again.
    pub busy: RwSignal<bool>,
    failure: RwSignal<Option<Trouble>>,
    fields: StoredValue<Vec<(&'static str, FieldState)>>,
}

impl FormState {
    /// A form with its fields, in the order in which they are checked.
    #[must_use]
    pub fn new(fields: Vec<(&'static str, FieldState)>) -> Self {
        Self {
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            fields: StoredValue::new(fields),
        }
    }

    /// Sets the fields to valid texts, in their order, and forgets the failure of the last call.
    pub fn reset<'a>(self, texts: impl IntoIterator<Item = &'a str>) {
        for ((_, field), text) in self.fields.get_value().into_iter().zip(texts) {
            field.reset(text);
        }
        self.failure.set(None);
    }

    /// Sends the form once, if all fields are good; else the first wrong one gets the focus. `call`
    /// sends it and does what follows a success. It is boxed so that the code around it is there
    /// once for all forms.
    pub fn submit(self, event: &SubmitEvent, call: LocalBoxFuture<'static, Result<(), ApiError>>) {
        event.prevent_default();
        if self.busy.get_untracked() || !self.is_good() {
            return;
        }
        self.failure.set(None);
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = call.await;
            // The page may be another by now.
            self.busy.try_set(false);
            if let Err(error) = outcome {
                self.fail(error);
            }
        });
    }

    fn is_good(self) -> bool {
        let wrong: Vec<_> =
            self.fields.get_value().into_iter().filter(|(_, field)| !field.check()).collect();
        if let Some((_, first)) = wrong.first() {
            first.focus();
        }
        wrong.is_empty()
    }

    /// Shows a failure: on the fields that it names, else beside the form.
    fn fail(self, error: ApiError) {
        // The person was asked for the password, and would rather not: that is no failure.
        if error.code == Code::FreshRequired {
            return;
        }
        let mut first = None;
        for (name, field) in self.fields.try_get_value().unwrap_or_default() {
            if let Some(why) = error.fields.get(name) {
                field.refuse(why.clone());
                first = first.or(Some(field));
            } else if error.code == Code::InvalidCredentials {
                // The last field is the password: the one that is most likely wrong.
                first = Some(field);
            }
        }
        let is_told = !error.fields.is_empty() && first.is_some();
        if !is_told {
            self.failure.try_set(Some(Trouble::new(error)));
        }
        if let Some(field) = first {
            field.focus();
        }
    }
}

/// The failure of a form's call.
#[component]
pub fn FormFailure(
    /// The form.
    form: FormState,
) -> impl IntoView {
    let language = Language::of_page();
    move || {
        form.failure.get().map(|failure| {
            view! {
                <div class="alert">
                    {icons::warning()}
                    <div>
                        <div role="alert">{trouble::told(&failure, language.strings())}</div>
                        {trouble::countdown(&failure, language)}
                    </div>
                </div>
            }
        })
    }
}
