//! Verification of addresses, password reset and undo: the operations that spend one-time codes.
//!
//! A link in a mail carries a token of 256 bits in its fragment. Beside it the mail has eight
//! digits to type: those of a reset count only in the browser that asked (cookie `code_request`),
//! those of a verification only in a session of the account.

use serde::{Deserialize, Serialize};

use super::redact;

/// Body of `POST /api/auth/forgot`: asks for a mail that resets the password.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ForgottenPassword {
    /// The username or a verified address, in any spelling.
    #[cfg_attr(
        feature = "ssr",
        schema(value_type = String, required = true, min_length = 1, examples("ada@example.com"))
    )]
    pub username: Option<String>,
}

/// Body of `POST /api/auth/reset`: the token of the link, or the digits with the username that the
/// mail was requested for.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PasswordReset {
    /// Token of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The digits, instead of the token; spaces are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(examples("1234 5678")))]
    pub code: Option<String>,
    /// The name that the mail was requested for; with `code` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The new password.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1,
            examples("battery horse correct")
        )
    )]
    pub password: Option<String>,
}

/// Body of `POST /api/auth/verify-address`: the token of the link, or, with an access token, the
/// digits.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AddressVerification {
    /// Token of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The digits, instead of the token; spaces are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(examples("1234 5678")))]
    pub code: Option<String>,
}

/// Response to the verification of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AddressVerified {
    /// Confirmation for the user.
    pub message: String,
    /// The verified address.
    pub email: String,
}

/// Body of `POST /api/auth/undo`: the token of an alert.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Undo {
    /// Token of the link.
    #[cfg_attr(feature = "ssr", schema(value_type = String, required = true, min_length = 1))]
    pub token: Option<String>,
}

/// Response to an undo: all sessions of the account have ended, and an address that was changed is
/// restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Undone {
    /// Confirmation for the user.
    pub message: String,
    /// True: a mail that resets the password is on its way.
    pub reset: bool,
}

/// Body of `POST /api/auth/send-verification`: sends the verification of an account that may not
/// log in without it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct VerificationRequest {
    /// The username, in any spelling.
    #[cfg_attr(
        feature = "ssr",
        schema(value_type = String, required = true, min_length = 1, examples("ada@example.com"))
    )]
    pub username: Option<String>,
    /// The password, at most 1024 bytes.
    #[cfg_attr(
        feature = "ssr",
        schema(
            value_type = String, required = true, min_length = 1, max_length = 1024,
            examples("correct horse battery")
        )
    )]
    pub password: Option<String>,
}

/// Body of `POST /api/users/verify-address` and `POST /api/users/send-verification`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AddressOwner {
    /// The `id` of the account.
    #[cfg_attr(feature = "ssr", schema(value_type = Uuid, required = true))]
    pub id: Option<String>,
}

redact!(PasswordReset, AddressVerification, Undo, VerificationRequest);
