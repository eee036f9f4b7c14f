//! `/api/me`: profile, password, export and deletion of the caller's account.

use app::{
    backend::Failure,
    protocol::{error::Code, paths},
    server_fns::{ChangePassword, DeleteAccount, GetProfile, UpdateProfile},
};
use axum::{http::Method, response::Response};

use super::{BodyDocs, ByteRequest, Endpoint, Tag, files::binary};
use crate::{domain::access::AuthRequirement, http::file_response, limits::ChangeLimit};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::server_fn::<GetProfile>(Tag::Account, "get_profile", AuthRequirement::Access)
            .describe(
                "Get the profile",
                "The authenticated user, with the issue and expiry time of the access token.",
            ),
        // Whether a fresh token is required depends on the changes, so the use case checks it.
        Endpoint::json_fn::<UpdateProfile>(Tag::Account, "update_profile", AuthRequirement::Access)
            .describe(
                "Update the profile",
                "Absent members stay unchanged; `null` or an empty string removes the value. \
                 Changing `email` or `mobile`, or turning `alert_new_device` off, requires a fresh \
                 access token: otherwise the response is `fresh_required` and nothing changes. Where \
                 the server sends mail, the response to another `email` is 202: it is \
                 `pending_email` until it is verified (24 hours; one hour if it is to replace a \
                 verified one), and nothing else changes before.",
            )
            .errors(&[Code::ValidationFailed, Code::FreshRequired, Code::TooManyAttempts]),
        Endpoint::json_fn::<DeleteAccount>(Tag::Account, "delete_account", AuthRequirement::Fresh)
            .describe(
                "Delete the account",
                "Permanent and immediate; the username becomes available again. `username` repeats \
                 the name of the account as a confirmation. The last administrator cannot be \
                 deleted (`last_admin`).",
            )
            .change_limit(ChangeLimit::Session)
            .errors(&[Code::ValidationFailed, Code::LastAdmin]),
        Endpoint::json_fn::<ChangePassword>(
            Tag::Account,
            "change_password",
            AuthRequirement::Fresh,
        )
        .describe(
            "Change the password",
            "The rules of registration apply. Revokes all other sessions of the account with \
                 the reason `password_changed`; the current session stays active. A wrong \
                 `current_password` is reported in `fields` and counts as a failed attempt of the \
                 session.",
        )
        .change_limit(ChangeLimit::Session)
        .errors(&[Code::ValidationFailed, Code::TooManyAttempts]),
        Endpoint::bytes(
            Tag::Account,
            "export_account",
            Method::GET,
            paths::EXPORT,
            AuthRequirement::Fresh,
            |request| Box::pin(export_account(request)),
        )
        .describe(
            "Export account data",
            "A ZIP archive: `account.json` (account, sessions, audit events, list of files), \
             `index.html` (a page to read it, in the language of the request) and all images. Its \
             name has username and date. One export at a time: 429 while another one is still \
             being downloaded.",
        )
        .returns(BodyDocs {
            media_types: &["application/zip"],
            schemas: || binary("Archive", "ZIP archive."),
        })
        // It writes to the audit log.
        .change_limit(ChangeLimit::Account)
        .errors(&[Code::TooManyAttempts]),
    ]
}

async fn export_account(request: ByteRequest) -> Result<Response, Failure> {
    let context = &request.context;
    let (caller, client_info) = (context.caller()?, context.client_info.clone());
    let (name, archive) = request.files.export(caller, client_info, context.lang).await?;
    Ok(file_response::attachment(&name, "application/zip", archive))
}
