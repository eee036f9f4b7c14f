//! `/api/users` and `/api/audit`: user accounts, their sessions and pictures, and the audit log, for
//! administrators.

use app::{
    backend::Failure,
    protocol::{error::Code, paths, users::AccountFileQuery},
    server_fns::{
        GetAccount, ListAccountFiles, ListAccountSessions, ListAuditEntries, ListUsers,
        RemovePicture, RevokeAccountSession, UpdateUser,
    },
};
use axum::{http::Method, response::Response};

use super::{
    ByteRequest, Endpoint, Tag,
    files::{PICTURE, parse_query},
};
use crate::{domain::access::AuthRequirement, http::file_response};

pub(super) fn endpoints() -> Vec<Endpoint> {
    accounts().into_iter().chain(pictures()).chain(audit()).collect()
}

fn accounts() -> Vec<Endpoint> {
    vec![
        Endpoint::query_fn::<ListUsers>(Tag::Administration, "list_users", AuthRequirement::Admin)
            .describe(
                "List user accounts",
                "For administrators. A search finds accounts by the beginnings of their words. \
                 Keyset pagination: constant cost per page, no gaps or duplicates under \
                 concurrent writes. An empty parameter counts as absent.",
            )
            .errors(&[Code::ValidationFailed]),
        Endpoint::json_fn::<UpdateUser>(
            Tag::Administration,
            "update_user",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "Update a user account",
            "For administrators, with a fresh access token. Absent members stay unchanged. \
             Disabling an account or ending its sessions takes effect on the next request; ended \
             sessions stay ended when the account is enabled again. The last active administrator \
             cannot be disabled or demoted (`last_admin`), and administrators cannot disable \
             themselves.",
        )
        .errors(&[Code::ValidationFailed, Code::NotFound, Code::LastAdmin]),
        Endpoint::query_fn::<GetAccount>(
            Tag::Administration,
            "get_account",
            AuthRequirement::Admin,
        )
        .describe("Get a user account", "For administrators.")
        .errors(&[Code::NotFound]),
        Endpoint::query_fn::<ListAccountSessions>(
            Tag::Administration,
            "list_account_sessions",
            AuthRequirement::Admin,
        )
        .describe("List the sessions of a user", "For administrators. Active sessions only.")
        .errors(&[Code::NotFound]),
        Endpoint::query_fn::<RevokeAccountSession>(
            Tag::Administration,
            "revoke_account_session",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "Revoke a session of a user",
            "For administrators, with a fresh access token. Takes effect on the next request. A \
             session of another account, or one that has ended, is `not_found`.",
        )
        .errors(&[Code::NotFound]),
    ]
}

fn pictures() -> Vec<Endpoint> {
    vec![
        Endpoint::query_fn::<ListAccountFiles>(
            Tag::Administration,
            "list_account_files",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "List the files of a user",
            "For administrators, with a fresh access token. Newest first, with cursor pagination. \
             The request is recorded in the audit log.",
        )
        .errors(&[Code::NotFound]),
        Endpoint::bytes(
            Tag::Administration,
            "download_account_file",
            Method::GET,
            paths::ACCOUNT_FILE,
            AuthRequirement::FreshAdmin,
            |request| Box::pin(download(request)),
        )
        .describe(
            "Download a file of a user",
            "For administrators, with a fresh access token. Returns the image as an attachment.",
        )
        .query::<AccountFileQuery>()
        .returns(PICTURE)
        .errors(&[Code::NotFound]),
        Endpoint::json_fn::<RemovePicture>(
            Tag::Administration,
            "remove_picture",
            AuthRequirement::FreshAdmin,
        )
        .describe(
            "Remove a picture of a user",
            "For administrators, with a fresh access token: a picture that breaks the rules of the \
             site. The file, or without `file` the avatar, is deleted. Its owner finds the reason \
             among their notices.",
        )
        .errors(&[Code::ValidationFailed, Code::NotFound]),
    ]
}

fn audit() -> Vec<Endpoint> {
    vec![
        Endpoint::query_fn::<ListAuditEntries>(
            Tag::Administration,
            "list_audit_entries",
            AuthRequirement::Admin,
        )
        .describe(
            "List the audit log",
            "For administrators. Newest first, with cursor pagination: `next` of a page as \
             `before` returns older entries, `latest` as `after` those that were written since. An \
             empty parameter counts as absent.",
        )
        .errors(&[Code::ValidationFailed]),
    ]
}

async fn download(request: ByteRequest) -> Result<Response, Failure> {
    let AccountFileQuery { id, file, size } = parse_query(&request.uri)?;
    request.context.caller()?;
    let opened = request.files.open_of(id, file, size.unwrap_or_default()).await?;
    Ok(file_response::attachment(&opened.name, opened.media_type, opened.content))
}
