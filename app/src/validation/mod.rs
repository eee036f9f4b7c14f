//! Validation rules shared by forms and server: plain functions without I/O. Rules that need
//! Unicode tables are in the server's `accounts`, since the tables would add to every first load.

pub mod email;
pub mod mobile;
pub mod nickname;
pub mod password;
pub mod strength;
pub mod username;

/// Validation error of a field. Its texts are in `i18n::problems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The account name is missing.
    UsernameMissing,
    /// A handle of fewer than three characters.
    UsernameTooShort,
    /// A handle of more than 32 characters.
    UsernameTooLong,
    /// A handle with a character that is not allowed, or not allowed at its start.
    UsernameCharacters,
    /// A text with an `@` that is not an e-mail address.
    EmailInvalid,
    /// An e-mail address of more than 254 characters.
    EmailTooLong,
    /// Not an E.164 number with a country code.
    MobileInvalid,
    /// The password is missing.
    PasswordMissing,
    /// The password to replace the current one is missing.
    NewPasswordMissing,
    /// A password of fewer code points than configured.
    PasswordTooShort {
        /// The configured number of code points.
        min: usize,
    },
    /// A password longer than the maximum.
    PasswordTooLong,
    /// The password is the account's name.
    PasswordIsUsername,
    /// The password is the account's name with few characters added.
    PasswordLikeUsername,
    /// The typed confirmation is not the account's name.
    UsernameMismatch,
    /// Password and confirmation differ.
    PasswordMismatch,
    /// A nickname of more than 64 characters.
    NicknameTooLong,
    /// A nickname with control characters or invisible marks that change the direction of text.
    NicknameCharacters,
    /// A problem that only the server detects.
    #[cfg(feature = "ssr")]
    Server(ServerProblem),
}

/// Validation error that only the server detects. Browsers receive its text, so that pages need not
/// load these variants.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerProblem {
    /// A handle whose letters come from several scripts (UTS #39 §5.1).
    UsernameScripts,
    /// A reserved name.
    UsernameReserved,
    /// The password is in the list of common passwords.
    PasswordCommon,
    /// The password is not the account's.
    PasswordWrong,
    /// The upload is not a supported image format.
    ImageFormat,
    /// An image with too many bytes.
    ImageBytes,
    /// An image with too many pixels.
    ImagePixels,
    /// An image whose decoding would exceed the memory limit.
    ImageMemory,
    /// A damaged image.
    ImageDamaged,
    /// The user's files would exceed the quota.
    FilesQuotaExceeded {
        /// The quota in bytes.
        bytes: i64,
    },
    /// The user has reached the maximum number of files.
    FilesCountExceeded {
        /// The maximum number of files.
        max: u64,
    },
    /// The account's id is missing.
    IdMissing,
    /// An unknown sort order.
    SortUnknown,
    /// An unknown role.
    RoleUnknown,
    /// An unknown status of accounts.
    StatusUnknown,
    /// An unknown event of the audit log.
    EventUnknown,
    /// An unknown outcome of events.
    OutcomeUnknown,
    /// Not a time in seconds of Unix time.
    TimeInvalid,
    /// No account with this name.
    AccountUnknown,
    /// The reason of a removal is missing or unknown.
    ReasonMissing,
    /// The explanation of a removal is missing.
    ExplanationMissing,
    /// An explanation that is too long.
    ExplanationTooLong {
        /// The maximum number of characters.
        max: usize,
    },
    /// An invalid pagination cursor.
    CursorInvalid,
    /// A page size outside of the limits.
    LimitOutOfRange {
        /// The maximum page size.
        max: u64,
    },
    /// An attempt to disable the account of the current session.
    DisableOwnAccount,
}

#[cfg(feature = "ssr")]
impl From<ServerProblem> for Problem {
    fn from(problem: ServerProblem) -> Self {
        Self::Server(problem)
    }
}

/// Converts a full-width character, as typed with Chinese and Japanese keyboards, to ASCII. The
/// server converts all compatibility variants (NFKC).
#[must_use]
pub(crate) fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        '\u{3002}' | '\u{ff61}' => '.',
        '\u{fe6b}' => '@',
        _ => character,
    }
}

/// Returns whether a character is invisible, so that it makes two names look alike or changes how
/// adjacent text is shown: controls, separators and Unicode's `Default_Ignorable_Code_Point`.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
