//! A password that somebody chooses: typed twice, its strength below it.

use leptos::prelude::*;

use super::{
    field::{Field, FieldState},
    meter::Meter,
};
use crate::{
    document, dom,
    i18n::strings::{Strings, password_hint},
    validation::{self, Problem},
};

/// Its two fields, by those of the server's rules that a browser can check.
#[derive(Clone, Copy)]
pub struct NewPassword {
    password: FieldState,
    again: FieldState,
}

impl NewPassword {
    /// A password for the account that goes by this name.
    #[must_use]
    pub fn of(username: impl Fn() -> String + Send + Sync + 'static) -> Self {
        let min = document::password_min();
        let password = FieldState::new(move |typed| {
            validation::password::check(&dom::nfc(typed), min)?;
            if typed == username().trim() { Err(Problem::PasswordIsUsername) } else { Ok(()) }
        });
        let again = FieldState::new(move |typed| {
            if typed == password.value() { Ok(()) } else { Err(Problem::PasswordsDiffer) }
        });
        Self { password, again }
    }

    /// Its fields, by their names.
    #[must_use]
    pub fn fields(self) -> [(&'static str, FieldState); 2] {
        [("password", self.password), ("password_again", self.again)]
    }

    /// What is typed.
    #[must_use]
    pub fn value(self) -> String {
        self.password.value()
    }
}

/// The two fields in a form.
#[component]
pub fn NewPasswordFields(
    /// Their state.
    of: NewPassword,
    /// What the first is called.
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    view! {
        <Field
            state=of.password
            name="password"
            label=label
            hint=|lang| password_hint(lang, document::password_min())
            autocomplete="new-password"
            secret=true
            below=view! { <Meter of=of.password /> }.into_any()
        />
        <Field
            state=of.again
            name="password_again"
            label=|s| s.password_again
            autocomplete="new-password"
            enterkeyhint="go"
            secret=true
        />
    }
}
