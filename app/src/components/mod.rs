//! What pages share.

pub mod avatar;
pub mod button;
pub mod field;
pub mod form;
pub mod header;
pub mod icons;
pub mod leave;
pub mod mask;
pub mod meter;
pub mod new_password;
pub mod notices;
pub mod password_dialog;
pub mod progress;
pub mod switches;
pub mod time;
pub mod trouble;

use crate::protocol::User;

/// How a person is called.
#[must_use]
pub fn name_of(user: &User) -> &str {
    user.nickname.as_deref().unwrap_or(&user.username)
}
