//! New password fields: password, strength meter and confirmation.

use leptos::prelude::*;

use super::{
    field::{Field, FieldState},
    strength_meter::StrengthMeter,
};
use crate::{
    dom,
    i18n::strings::{Strings, password_hint},
    validation::{self, Problem},
};

/// Minimum length of a new password in code points; provided as context.
#[derive(Clone, Copy)]
pub struct MinPasswordLength(pub usize);

impl MinPasswordLength {
    fn from_context() -> usize {
        expect_context::<Self>().0
    }
}

/// State of both fields, validated by the server's rules as far as a browser can check them.
#[derive(Clone, Copy)]
pub struct NewPassword {
    password: FieldState,
    confirmation: FieldState,
}

impl NewPassword {
    /// Creates the fields for an account; the password must differ from its username.
    #[must_use]
    pub fn of(username: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self::with(username, Problem::PasswordMissing)
    }

    /// As [`Self::of`], beside a field with the current password.
    #[must_use]
    pub fn replacing(username: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self::with(username, Problem::NewPasswordMissing)
    }

    fn with(username: impl Fn() -> String + Send + Sync + 'static, missing: Problem) -> Self {
        let min = MinPasswordLength::from_context();
        let password = FieldState::new(move |typed| {
            if typed.is_empty() {
                return Err(missing);
            }
            validation::password::check(&dom::nfc(typed), min)?;
            if typed == username().trim() { Err(Problem::PasswordIsUsername) } else { Ok(()) }
        });
        let confirmation = FieldState::new(move |typed| {
            if typed == password.value() { Ok(()) } else { Err(Problem::PasswordMismatch) }
        });
        Self { password, confirmation }
    }

    /// Returns the fields by their names in the form.
    #[must_use]
    pub fn fields(self) -> [(&'static str, FieldState); 2] {
        [("password", self.password), ("password_again", self.confirmation)]
    }

    /// Returns the new password.
    #[must_use]
    pub fn value(self) -> String {
        self.password.value()
    }
}

/// Password field with strength meter, and confirmation field.
#[component]
pub fn NewPasswordFields(
    /// State of the fields.
    of: NewPassword,
    /// Label of the password field.
    label: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    view! {
        <Field
            state=of.password
            name="password"
            label=label
            hint=|lang| password_hint(lang, MinPasswordLength::from_context())
            autocomplete="new-password"
            secret=true
            below=view! { <StrengthMeter of=of.password /> }.into_any()
        />
        <Field
            state=of.confirmation
            name="password_again"
            label=|s| s.password_again
            autocomplete="new-password"
            enterkeyhint="go"
            secret=true
        />
    }
}
