//! Masking of personal data against shoulder surfing.

/// Masks the local part of an e-mail address but its first letter: `a***@example.com`.
#[must_use]
pub fn email(address: &str) -> String {
    let (name, host) = address.split_once('@').unwrap_or((address, ""));
    let first = name.chars().next().map(String::from).unwrap_or_default();
    format!("{first}***@{host}")
}

/// Masks the four digits before the last four of a phone number: `+86139****5901`.
#[must_use]
pub fn mobile(number: &str) -> String {
    let end = number.len().saturating_sub(4);
    let begin = end.saturating_sub(4);
    format!(
        "{}****{}",
        number.get(..begin).unwrap_or_default(),
        number.get(end..).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_hides_most_of_the_value() {
        assert_eq!(email("ada@example.com"), "a***@example.com");
        assert_eq!(email("a@b"), "a***@b");
        assert_eq!(mobile("+8613912345901"), "+86139****5901");
        assert_eq!(mobile("+12345678"), "+****5678");
    }
}
