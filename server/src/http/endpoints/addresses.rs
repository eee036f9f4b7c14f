//! Password reset, verification of addresses, invitations.

use app::{
    protocol::error::Code,
    server_fns::{
        CreateInvitation, ForgotPassword, ListInvitations, ResetPassword, RevokeInvitation,
        SendAccountVerification, SendOwnVerification, SendVerification, VerifyAccountAddress,
        VerifyAddress,
    },
};

use super::{Endpoint, Tag};
use crate::{domain::access::AuthRequirement, limits::ChangeLimit};

pub(super) fn endpoints() -> Vec<Endpoint> {
    resets().into_iter().chain(verifications()).chain(administration()).collect()
}

fn resets() -> Vec<Endpoint> {
    vec![
        Endpoint::json_fn::<ForgotPassword>(Tag::Auth, "forgot_password", AuthRequirement::Public)
            .describe(
                "Request a password reset",
                "Sends a mail with a link and eight digits, valid for 30 minutes, to the verified \
                 address of the account; to an account without one, to its username, if that is an \
                 address. The response is the same, in bytes and time, if there is no such account. \
                 Requests beyond the limit of an account are dropped silently. `not_found` if the \
                 server sends no mail.",
            )
            .accepted()
            .sets_cookie(
                "`code_request`, scoped to `/api/auth`: the digits count with it only. It does \
                 not authenticate.",
            )
            .errors(&[Code::ValidationFailed, Code::NotFound, Code::TooManyAttempts]),
        Endpoint::json_fn::<ResetPassword>(Tag::Auth, "reset_password", AuthRequirement::Public)
            .describe(
                "Reset the password",
                "Takes the `token` of the link, or the digits as `code` with the `username` that \
                 the reset was requested for, in the browser that requested it. The rules of \
                 registration apply to the password. Ends all sessions, verifies the address that \
                 the mail was sent to, and begins no session. A code works once.",
            )
            .errors(&[Code::ValidationFailed, Code::CodeInvalid]),
    ]
}

fn verifications() -> Vec<Endpoint> {
    vec![
        Endpoint::json_fn::<VerifyAddress>(Tag::Auth, "verify_address", AuthRequirement::Optional)
            .describe(
                "Verify an address",
                "Takes the `token` of the link, or, with an access token, the digits as `code`. The \
                 address becomes that of the account and logs in. If another account has it as its \
                 username, and never verified it, that account loses it with its sessions and its \
                 password. `address_taken` if another account has verified it.",
            )
            .errors(&[Code::CodeInvalid, Code::AddressTaken]),
        Endpoint::json_fn::<SendVerification>(
            Tag::Auth,
            "send_verification",
            AuthRequirement::Public,
        )
        .describe(
            "Send the verification before a login",
            "For accounts whose login is `address_unverified`. Failures count like those of a \
             login. `not_found` if the server sends no mail.",
        )
        .accepted()
        .errors(&[
            Code::ValidationFailed,
            Code::InvalidCredentials,
            Code::AccountDisabled,
            Code::NotFound,
            Code::TooManyAttempts,
        ]),
        Endpoint::server_fn::<SendOwnVerification>(
            Tag::Account,
            "send_own_verification",
            AuthRequirement::Access,
        )
        .describe(
            "Send the verification again",
            "Sends the verification of the address that waits for it, else of the contact address, \
             else of the username. `not_found` if none of them is unverified, or the server sends \
             no mail. The last three codes are valid.",
        )
        .accepted()
        .change_limit(ChangeLimit::Account)
        .errors(&[Code::NotFound, Code::TooManyAttempts]),
    ]
}

fn administration() -> Vec<Endpoint> {
    vec![
        Endpoint::json_fn::<VerifyAccountAddress>(
            Tag::Administration,
            "verify_account_address",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "Verify the address of a user",
            "For administrators, with a fresh access token. Verifies the address that waits for \
             it, else the contact address, else the username, without a message. `not_found` if \
             there is none.",
        )
        .errors(&[Code::ValidationFailed, Code::NotFound, Code::AddressTaken]),
        Endpoint::json_fn::<SendAccountVerification>(
            Tag::Administration,
            "send_account_verification",
            AuthRequirement::Admin,
        )
        .describe(
            "Send the verification of a user",
            "For administrators. `not_found` if there is no unverified address, or the server \
             sends no mail.",
        )
        .accepted()
        .errors(&[Code::ValidationFailed, Code::NotFound, Code::TooManyAttempts]),
        Endpoint::server_fn::<ListInvitations>(
            Tag::Administration,
            "list_invitations",
            AuthRequirement::Admin,
        )
        .describe("List invitations", "For administrators. The valid ones, newest first."),
        Endpoint::json_fn::<CreateInvitation>(
            Tag::Administration,
            "create_invitation",
            AuthRequirement::Admin,
        )
        .describe(
            "Create an invitation",
            "For administrators. Valid for 7 days, for one registration. With an `email` it is \
             sent there, if the server sends mail: the address is verified for the account that is \
             registered with it. The link is in this response only.",
        )
        .created()
        .errors(&[Code::ValidationFailed]),
        Endpoint::query_fn::<RevokeInvitation>(
            Tag::Administration,
            "revoke_invitation",
            AuthRequirement::Admin,
        )
        .describe(
            "Revoke an invitation",
            "For administrators. One that was used or has expired is `not_found`.",
        )
        .errors(&[Code::NotFound]),
    ]
}
