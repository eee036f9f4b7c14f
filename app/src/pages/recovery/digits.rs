//! The digits of a mail, as they are typed and checked.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    components::field::{Field, FieldState},
    dom,
    i18n::{Lang, strings::Strings},
    protocol::error::{ApiError, Code},
};

/// Number of digits of a code.
const DIGITS: usize = 8;

/// Field for the digits of a mail. `enterkeyhint`: label of the keyboard's enter key.
pub(in crate::pages) fn digits_input(
    state: FieldState,
    hint: fn(Lang) -> String,
    enterkeyhint: &'static str,
) -> impl IntoView {
    view! {
        <Field
            state
            name="code"
            label=|s| s.digits
            hint
            autocomplete="one-time-code"
            inputmode="numeric"
            enterkeyhint
        />
    }
}

/// State of a field for the digits of a mail; [`checked_digits`] validates it.
pub(in crate::pages) fn digits_field() -> FieldState {
    FieldState::new(|_| Ok(()))
}

/// Returns the typed digits. Otherwise stops the submission and shows the error: the rule is not one
/// of [`Problem`](crate::validation::Problem), whose texts every visitor loads.
pub(in crate::pages) fn checked_digits(digits: FieldState, event: &SubmitEvent) -> Option<String> {
    let code = parse(&digits.value());
    if code.is_none() {
        event.prevent_default();
        digits.show_server_error(Strings::of(dom::lang()).digits_missing.to_owned());
        digits.focus();
    }
    code
}

/// Parses typed digits. Spaces and hyphens between them, as people group them, are dropped.
fn parse(typed: &str) -> Option<String> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Moves the rejection of a code to the field for its digits.
pub(in crate::pages) fn at_digits(mut error: ApiError) -> ApiError {
    if error.code == Code::CodeInvalid {
        let why = Strings::of(dom::lang()).digits_invalid.to_owned();
        error.fields.insert("code".to_owned(), why);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_digits_in_groups_returns_them_alone() {
        for typed in ["12345678", " 1234 5678 ", "1234-5678", "1234\u{3000}5678"] {
            assert_eq!(parse(typed).as_deref(), Some("12345678"), "{typed:?}");
        }
        for typed in ["", "1234567", "123456789", "1234567a", "１２３４５６７８"] {
            assert_eq!(parse(typed), None, "{typed:?}");
        }
    }
}
