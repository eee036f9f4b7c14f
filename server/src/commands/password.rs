//! Password input of commands: prompted for or read from standard input, never an argument, which
//! other users of the machine can read.

use std::io::{self, IsTerminal as _, Read as _};

use app::{i18n::Lang, validation::Problem};
use zeroize::Zeroizing;

use crate::domain::{
    password::{Password, Policy},
    username::Username,
};

/// Bytes that are read from standard input; no password is longer.
const READ_MAX: u64 = 16 * 1024;

/// Error of a password input.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The two differ.
    #[error("the passwords do not match; nothing was changed")]
    Differ,
    /// The password is rejected by the policy.
    #[error("{}: nothing was changed", .0.text(Lang::En))]
    Refused(Problem),
    /// It cannot be read.
    #[error("the password cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Prompts for a new password twice, without echo. If standard input is not a terminal, reads its
/// first line.
pub(super) fn read_new(
    policy: &Policy,
    username: Option<&Username>,
) -> Result<Password, PasswordError> {
    let mut typed =
        if io::stdin().is_terminal() { ask()? } else { first_line(io::stdin().lock())? };
    Password::chosen(std::mem::take(&mut *typed), policy, username).map_err(PasswordError::Refused)
}

fn ask() -> Result<Zeroizing<String>, PasswordError> {
    let typed = Zeroizing::new(rpassword::prompt_password("New password: ")?);
    let again = Zeroizing::new(rpassword::prompt_password("Repeat the password: ")?);
    if typed == again { Ok(typed) } else { Err(PasswordError::Differ) }
}

fn first_line(input: impl io::Read) -> io::Result<Zeroizing<String>> {
    // Allocated once: a growing buffer would leave unwiped copies.
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(READ_MAX).unwrap_or_default()));
    input.take(READ_MAX).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // A byte order mark, which some editors write, is not part of the password.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text =
        std::str::from_utf8(line).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_returns_text_up_to_line_end_unchanged() {
        for (input, expected) in [
            ("secret\n", "secret"),
            ("secret", "secret"),
            (" secret \r\nmore\n", " secret "),
            ("\nsecret\n", ""),
            ("", ""),
            ("密码\u{0}x", "密码\u{0}x"),
            ("\u{feff}secret\r\n", "secret"),
        ] {
            assert_eq!(*first_line(input.as_bytes()).unwrap(), expected, "{input:?}");
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
