//! `/api/auth`: registration, login, refresh, verification, logout.

use app::{
    protocol::error::Code,
    server_fns::{Login, Logout, Reauthenticate, Refresh, Register, UndoChange, Verify},
};

use super::{Endpoint, Tag};
use crate::{domain::access::AuthRequirement, limits::ChangeLimit};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::json_fn::<Register>(Tag::Auth, "register", AuthRequirement::Public)
            .describe(
                "Register an account",
                "`username` is an email address, or a handle of 3 to 32 letters of one script, \
                 digits, `.`, `_` and `-`. It is unique under NFKC and case folding, and among \
                 look-alike characters (UTS #39). `password` has 8 to 128 code points, any \
                 characters; it must not be a common password or close to the username. `fields` \
                 names each rejected member with the reason.",
            )
            .created()
            .errors(&[
                Code::ValidationFailed,
                Code::CodeInvalid,
                Code::RegistrationClosed,
                Code::UsernameTaken,
                Code::TooManyAttempts,
            ]),
        Endpoint::json_fn::<Login>(Tag::Auth, "login", AuthRequirement::Public)
            .describe(
                "Log in",
                "Starts a session and returns its first token pair. Failures are rate limited per \
                 account and per client address; beyond the limit the response is 429 whatever the \
                 password. The `device_…` cookie in the response marks this browser as a known \
                 device; it does not authenticate.",
            )
            .sets_cookie("The known-device cookie `device_…`, scoped to this path.")
            .errors(&[
                Code::ValidationFailed,
                Code::InvalidCredentials,
                Code::AccountDisabled,
                Code::AddressUnverified,
                Code::TooManyAttempts,
            ]),
        Endpoint::server_fn::<Refresh>(Tag::Auth, "refresh", AuthRequirement::Refresh)
            .describe(
                "Refresh the token pair",
                "Requires the refresh token. Each refresh rotates it. Within the grace period (10 \
                 seconds by default) the previous token returns the same successor, so retries and \
                 parallel requests are safe. Presenting a used token later counts as reuse and \
                 revokes the session, unless its response was never received.",
            )
            // Refreshes have a limit of their own.
            .change_limit(ChangeLimit::None)
            .errors(&[Code::TooManyAttempts]),
        Endpoint::server_fn::<Verify>(Tag::Auth, "verify", AuthRequirement::Access)
            .describe("Verify an access token", "Returns 200 for a valid access token, else 401.")
            .change_limit(ChangeLimit::None),
        Endpoint::json_fn::<Reauthenticate>(Tag::Auth, "reauthenticate", AuthRequirement::Access)
            .describe(
                "Re-authenticate",
                "Step-up authentication (RFC 9470): exchanges the password for a fresh access \
                 token of the same session. The refresh token stays valid. Failures are rate \
                 limited per session.",
            )
            .change_limit(ChangeLimit::Session)
            .errors(&[Code::ValidationFailed, Code::InvalidCredentials, Code::TooManyAttempts]),
        Endpoint::json_fn::<UndoChange>(Tag::Auth, "undo", AuthRequirement::Public)
            .describe(
                "Undo what an alert was about",
                "Takes the token of the link \"It was not me\" in an alert, once. Ends all sessions of \
                 the account, restores the address that the alert was sent to, invalidates the \
                 password, and sends a message to that address with which a new one is set.",
            )
            .sets_cookie("The cookie `code_request`, with which the digits of the message count.")
            .errors(&[Code::CodeInvalid]),
        Endpoint::server_fn::<Logout>(Tag::Auth, "logout", AuthRequirement::AccessOrRefresh)
            .describe(
                "Log out",
                "Accepts the access or the refresh token. Revokes the session: both tokens are \
                 rejected from the next request on.",
            )
            // A session can be logged out once.
            .change_limit(ChangeLimit::None),
    ]
}
