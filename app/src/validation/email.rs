//! E-mail address for contact; not a login name.

use super::{Problem, username::check_email};

/// Parses a trimmed e-mail address; `None` if the input is blank.
///
/// # Errors
///
/// [`Problem::EmailInvalid`] or [`Problem::EmailTooLong`].
pub fn parse(typed: &str) -> Result<Option<&str>, Problem> {
    let address = typed.trim();
    if address.is_empty() {
        return Ok(None);
    }
    check_email(address)?;
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_typed_text_returns_trimmed_address_or_problem() {
        assert_eq!(parse(" Ada@Example.com "), Ok(Some("Ada@Example.com")));
        assert_eq!(
            parse("ada＠münchen．example"),
            Ok(Some("ada＠münchen．example")),
            "the server converts it"
        );
        assert_eq!(parse(" \u{3000}"), Ok(None));
        for typed in ["ada", "ada@", "a b@example.com", "ada@example..com", "ada@example.com\u{0}"]
        {
            assert_eq!(parse(typed), Err(Problem::EmailInvalid), "{typed:?}");
        }
        assert_eq!(parse(&format!("{}@b.c", "a".repeat(251))), Err(Problem::EmailTooLong));
    }
}
