//! Form submission: client-side validation, one request, and display of its error.

use futures::future::LocalBoxFuture;
use leptos::{ev::SubmitEvent, prelude::*};

use super::{api_error_view::DisplayedError, error_panel::ErrorAlert, field::FieldState};
use crate::{
    dom,
    protocol::error::{ApiError, Code},
};

/// State of a form: its fields by their names in the API, and its pending request.
#[derive(Clone, Copy)]
pub struct FormState {
    /// True while a request is pending; further submissions are ignored.
    pub busy: RwSignal<bool>,
    error: RwSignal<Option<DisplayedError>>,
    fields: StoredValue<Vec<(&'static str, FieldState)>>,
}

impl FormState {
    /// Creates a form; fields are validated in the given order.
    #[must_use]
    pub fn new(fields: Vec<(&'static str, FieldState)>) -> Self {
        Self {
            busy: RwSignal::new(false),
            error: RwSignal::new(None),
            fields: StoredValue::new(fields),
        }
    }

    /// Sets the fields to valid texts, in order, and clears the error of the last request.
    pub fn reset<'a>(self, texts: impl IntoIterator<Item = &'a str>) {
        for ((_, field), text) in self.fields.get_value().into_iter().zip(texts) {
            field.reset(text);
        }
        self.error.set(None);
    }

    /// Runs `call` if all fields are valid, else focuses the first invalid one. Submissions during
    /// a pending request are ignored. The future is boxed so that this code is compiled once for
    /// all forms.
    pub fn submit(self, event: &SubmitEvent, call: LocalBoxFuture<'static, Result<(), ApiError>>) {
        event.prevent_default();
        if self.busy.get_untracked() || !self.validate() {
            return;
        }
        self.error.set(None);
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = call.await;
            // The page may have been left meanwhile.
            self.busy.try_set(false);
            if let Err(error) = outcome {
                self.show_error(error);
            }
        });
    }

    fn validate(self) -> bool {
        let wrong: Vec<_> =
            self.fields.get_value().into_iter().filter(|(_, field)| !field.check()).collect();
        if let Some((_, first)) = wrong.first() {
            first.focus();
        }
        wrong.is_empty()
    }

    /// Shows an error at the fields that it names, else above the form.
    fn show_error(self, error: ApiError) {
        // The user cancelled the password dialog.
        if error.code == Code::FreshRequired {
            return;
        }
        let mut first = None;
        for (name, field) in self.fields.try_get_value().unwrap_or_default() {
            if let Some(why) = error.fields.get(name) {
                field.show_server_error(why.clone());
                first = first.or(Some(field));
            } else if error.code == Code::InvalidCredentials {
                // The last field is the password, the likeliest cause.
                first = Some(field);
            }
        }
        let is_shown = !error.fields.is_empty() && first.is_some();
        if !is_shown {
            self.error.try_set(Some(DisplayedError::new(error)));
        }
        if let Some(field) = first {
            field.focus();
        }
    }
}

/// Error message of a form's last request.
#[component]
pub fn FormError(
    /// State of the form.
    form: FormState,
) -> impl IntoView {
    move || form.error.get().map(|error| view! { <ErrorAlert error /> })
}
