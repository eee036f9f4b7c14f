//! The rules that the form and the server share: plain functions without I/O and without Unicode
//! tables (every visitor would pay for their bytes; what needs them is in the server's `accounts`).

pub mod email;
pub mod mobile;
pub mod nickname;
pub mod password;
pub mod strength;
pub mod username;

/// What can be wrong with a field. Its words are in `i18n::problems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No account name was given.
    UsernameMissing,
    /// A handle of fewer than three characters.
    UsernameTooShort,
    /// A handle of more than 32 characters.
    UsernameTooLong,
    /// A handle with a character that handles do not have, or that begins with one that they do not
    /// begin with.
    UsernameCharacters,
    /// It has an `@` but is no e-mail address.
    EmailInvalid,
    /// An e-mail address of more than 254 characters.
    EmailTooLong,
    /// It is no number of E.164 with its country.
    MobileInvalid,
    /// No password was given.
    PasswordMissing,
    /// A password of fewer code points than configured.
    PasswordTooShort {
        /// The configured number of code points.
        min: usize,
    },
    /// A password that is longer than what is accepted.
    PasswordTooLong,
    /// The password is the account's name.
    PasswordIsUsername,
    /// The password is the account's name with hardly anything around it.
    PasswordLikeUsername,
    /// What was typed to confirm it is not the account's name.
    NameDiffers,
    /// The confirmation is another password.
    PasswordsDiffer,
    /// A nickname of more than 64 characters.
    NicknameTooLong,
    /// A nickname with control characters or invisible marks that turn the direction of the text
    /// around it.
    NicknameCharacters,
    /// What only the server can find.
    #[cfg(feature = "ssr")]
    Server(ServerProblem),
}

/// What the server alone finds wrong with a field. Browsers are told in words, so that nobody loads
/// these with a page.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerProblem {
    /// A handle whose letters come from several scripts (UTS #39 §5.1).
    UsernameScripts,
    /// A name that nobody may have.
    UsernameReserved,
    /// The password is one of those that everybody tries first.
    PasswordCommon,
    /// It is not the account's password.
    PasswordWrong,
    /// What was sent as a picture is of no kind that is taken.
    PictureKind,
    /// A picture of more bytes than are taken.
    PictureBytes,
    /// A picture of more pixels than are taken.
    PicturePixels,
    /// A picture whose decoding takes more memory than there is for pictures.
    PictureMemory,
    /// It begins like a picture and cannot be read.
    PictureBroken,
    /// A person's files would take up more than they may.
    FilesQuota {
        /// What they may take up.
        bytes: i64,
    },
    /// A user has as many files as are kept.
    FilesCount {
        /// The number of files.
        max: u64,
    },
    /// An account that is named by nothing.
    IdMissing,
    /// An order that no list has.
    SortUnknown,
    /// A place that no list in this order has.
    PlaceUnknown,
    /// So many accounts that no page has them.
    LimitOutside {
        /// The most that a page has.
        max: u64,
    },
    /// Whoever disables an account by which they are signed in themself.
    DisablesOneself,
}

#[cfg(feature = "ssr")]
impl From<ServerProblem> for Problem {
    fn from(problem: ServerProblem) -> Self {
        Self::Server(problem)
    }
}

/// A character as ASCII has it, where it is a full-width form of one, as Chinese and Japanese
/// keyboards type them. The server knows all compatibility variants (NFKC).
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

/// A character that a person does not see and that makes two names look alike or changes how text
/// around it is shown: controls, separators and Unicode's `Default_Ignorable_Code_Point`.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
