//! UI components that pages share.

pub mod address_state;
pub mod api_error_view;
pub mod avatar;
pub mod confirm_form;
pub mod dialog;
pub mod error_panel;
pub mod field;
pub mod form;
pub mod header;
pub mod icons;
pub mod loader;
pub mod logout_button;
pub mod new_password;
pub mod password_dialog;
pub mod progress;
pub mod strength_meter;
pub mod submit_button;
pub mod time;
pub mod toasts;

use crate::protocol::User;

/// Returns the name to display: the nickname, else the username.
#[must_use]
pub fn display_name(user: &User) -> &str {
    user.nickname.as_deref().unwrap_or(&user.username)
}
