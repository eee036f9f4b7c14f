//! Documentation of each operation for the OpenAPI document, beside the facts of the operations
//! table.

pub(super) mod bodies;
pub(super) mod queries;

use app::protocol::{
    Done, LoggedIn, Profile, ProfileChanged, Reauthenticated, Refreshed, Registered, Verified,
    error::Code,
    files::{FileList, FileUploaded, UserChanged},
    sessions::SessionList,
    users::{AccountChanged, AccountPage},
};
use axum::http::Method;

use self::{
    bodies::Part,
    queries::{Parameter, filled, limit, order, size, text, uuid},
};

/// Documentation of one operation.
pub(super) struct Described {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The `operationId`: the name in generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// Query parameters.
    pub(super) parameters: &'static [Parameter],
    /// Schema of the request body.
    pub(super) request: Option<Part>,
    pub(super) status: u16,
    pub(super) answer: Part,
    /// Error codes beyond those of the common layers.
    pub(super) codes: &'static [Code],
}

/// All operations, in the order of the documentation.
pub(super) static DESCRIBED: &[Described] = &[
    Described {
        method: Method::POST,
        path: "/api/auth/register",
        id: "register",
        summary: "Register an account",
        description: "`username` is an email address, or a handle of 3 to 32 letters of one \
                      script, digits, `.`, `_` and `-`. It is unique under NFKC and case folding, \
                      and among look-alike characters (UTS #39). `password` has 8 to 128 code \
                      points, any characters; it must not be a common password or close to the \
                      username. `fields` names each rejected member with the reason.",
        parameters: &[],
        request: Some(bodies::registration),
        status: 201,
        answer: bodies::part::<Registered>,
        codes: &[Code::ValidationFailed, Code::UsernameTaken, Code::TooManyAttempts],
    },
    Described {
        method: Method::POST,
        path: "/api/auth/login",
        id: "login",
        summary: "Log in",
        description: "Starts a session and returns its first token pair. Failures are rate limited \
                      per account and per client address; beyond the limit the response is 429 \
                      whatever the password. The `device_…` cookie in the response marks this \
                      browser as a known device; it does not authenticate.",
        parameters: &[],
        request: Some(bodies::credentials),
        status: 200,
        answer: bodies::part::<LoggedIn>,
        codes: &[
            Code::ValidationFailed,
            Code::InvalidCredentials,
            Code::AccountDisabled,
            Code::TooManyAttempts,
        ],
    },
    Described {
        method: Method::POST,
        path: "/api/auth/refresh",
        id: "refresh",
        summary: "Refresh the token pair",
        description: "Requires the refresh token. Each refresh rotates it. Within the grace period \
                      (10 seconds by default) the previous token returns the same successor, so \
                      retries and parallel requests are safe. Presenting a used token later counts \
                      as reuse and revokes the session, unless its response was never received.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Refreshed>,
        codes: &[Code::TooManyAttempts],
    },
    Described {
        method: Method::POST,
        path: "/api/auth/verify",
        id: "verify",
        summary: "Verify an access token",
        description: "Returns 200 for a valid access token, else 401.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Verified>,
        codes: &[],
    },
    Described {
        method: Method::POST,
        path: "/api/auth/reauthenticate",
        id: "reauthenticate",
        summary: "Re-authenticate",
        description: "Step-up authentication (RFC 9470): exchanges the password for a fresh access \
                      token of the same session. The refresh token stays valid. Failures are rate \
                      limited per session.",
        parameters: &[],
        request: Some(bodies::password),
        status: 200,
        answer: bodies::part::<Reauthenticated>,
        codes: &[Code::ValidationFailed, Code::InvalidCredentials, Code::TooManyAttempts],
    },
    Described {
        method: Method::DELETE,
        path: "/api/auth/logout",
        id: "logout",
        summary: "Log out",
        description: "Accepts the access or the refresh token. Revokes the session: both tokens \
                      are rejected from the next request on.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[],
    },
    Described {
        method: Method::GET,
        path: "/api/me",
        id: "get_profile",
        summary: "Get the profile",
        description: "The authenticated user, with the issue and expiry time of the access token.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Profile>,
        codes: &[],
    },
    Described {
        method: Method::PATCH,
        path: "/api/me",
        id: "update_profile",
        summary: "Update the profile",
        description: "Absent members stay unchanged; `null` or an empty string removes the value. \
                      Changing `email` or `mobile` requires a fresh access token: otherwise the \
                      response is `fresh_required` and nothing changes.",
        parameters: &[],
        request: Some(bodies::profile_changes),
        status: 200,
        answer: bodies::part::<ProfileChanged>,
        codes: &[Code::ValidationFailed, Code::FreshRequired],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me",
        id: "delete_account",
        summary: "Delete the account",
        description: "Permanent and immediate; the username becomes available again. `username` \
                      repeats the name of the account as a confirmation. The last administrator \
                      cannot be deleted (`last_admin`).",
        parameters: &[],
        request: Some(bodies::confirmation),
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::ValidationFailed, Code::LastAdmin],
    },
    Described {
        method: Method::POST,
        path: "/api/me/password",
        id: "change_password",
        summary: "Change the password",
        description: "The rules of registration apply. Revokes all other sessions of the account \
                      with the reason `password_changed`; the current session stays active. A \
                      wrong `current_password` is reported in `fields` and counts as a failed \
                      attempt of the session.",
        parameters: &[],
        request: Some(bodies::password_change),
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::ValidationFailed, Code::TooManyAttempts],
    },
    Described {
        method: Method::GET,
        path: "/api/me/sessions",
        id: "list_sessions",
        summary: "List active sessions",
        description: "The active sessions of the account: the current one first, then by last \
                      activity.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<SessionList>,
        codes: &[],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/sessions",
        id: "revoke_sessions",
        summary: "Revoke sessions",
        description: "Revokes one session; its tokens are rejected from the next request on, with \
                      the reason `ended_elsewhere`. Without `id`, revokes all sessions except the \
                      current one. A session of another user is `not_found`.",
        parameters: &[Parameter::optional(
            "id",
            "The `id` of the session. The current session is logged out.",
            filled,
        )],
        request: None,
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::NotFound],
    },
    Described {
        method: Method::PUT,
        path: "/api/me/avatar",
        id: "set_avatar",
        summary: "Set the avatar",
        description: "The body is a JPEG, PNG or WebP image of at most 5 MB and 24 megapixels; the \
                      declared content type is ignored. The image is cropped to a square, \
                      oriented, and re-encoded without metadata. `avatar_url` is the version of \
                      512 pixels; replace `-512` by `-96` for the small one. Both are immutable.",
        parameters: &[],
        request: Some(bodies::picture),
        status: 200,
        answer: bodies::part::<UserChanged>,
        codes: &[Code::ValidationFailed, Code::PayloadTooLarge, Code::UnsupportedMediaType],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/avatar",
        id: "delete_avatar",
        summary: "Delete the avatar",
        description: "Succeeds if no avatar is set.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<UserChanged>,
        codes: &[],
    },
    Described {
        method: Method::GET,
        path: "/api/me/files",
        id: "list_files",
        summary: "List files",
        description: "Newest first, with cursor pagination. An empty `after` or `limit` counts as \
                      absent.",
        parameters: &[
            Parameter::optional("after", "The `next` cursor of the previous page.", text),
            Parameter::optional("limit", "Page size: 1 to 100, default 50.", limit),
        ],
        request: None,
        status: 200,
        answer: bodies::part::<FileList>,
        codes: &[],
    },
    Described {
        method: Method::POST,
        path: "/api/me/files",
        id: "upload_file",
        summary: "Upload a file",
        description: "The body is a JPEG, PNG or WebP image of at most 5 MB and 24 megapixels. It \
                      is stored unchanged together with a thumbnail; only its owner can read it. \
                      `payload_too_large` is also the response when the quota of the user is \
                      exceeded.",
        parameters: &[Parameter::optional(
            "name",
            "File name. Its extension is corrected to the actual image format.",
            text,
        )],
        request: Some(bodies::picture),
        status: 201,
        answer: bodies::part::<FileUploaded>,
        codes: &[Code::ValidationFailed, Code::PayloadTooLarge, Code::UnsupportedMediaType],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/files",
        id: "delete_file",
        summary: "Delete a file",
        description: "A file of another user is `not_found`.",
        parameters: &[Parameter::required("id", "The `id` of the file.", uuid)],
        request: None,
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::NotFound],
    },
    Described {
        method: Method::GET,
        path: "/api/me/file",
        id: "download_file",
        summary: "Download a file",
        description: "Returns the image as an attachment. A file of another user is `not_found`.",
        parameters: &[
            Parameter::required("id", "The `id` of the file.", uuid),
            Parameter::optional(
                "size",
                "`full` (default) or `thumb`: a JPEG of at most 512 pixels width.",
                size,
            ),
        ],
        request: None,
        status: 200,
        answer: bodies::picture,
        codes: &[Code::NotFound],
    },
    Described {
        method: Method::GET,
        path: "/api/me/export",
        id: "export_account",
        summary: "Export account data",
        description: "A ZIP archive: `account.json` (account, sessions, audit events, list of \
                      files) and all images. One export at a time: 429 while another one is still \
                      being downloaded.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::archive,
        codes: &[Code::TooManyAttempts],
    },
    Described {
        method: Method::GET,
        path: "/api/users",
        id: "list_users",
        summary: "List user accounts",
        description: "For administrators. Keyset pagination: constant cost per page, no gaps or \
                      duplicates under concurrent writes. An empty parameter counts as absent.",
        parameters: &[
            Parameter::optional(
                "search",
                "Prefix of the username (any spelling) or of the nickname (ASCII case-insensitive), or the exact \
                 email address or id.",
                text,
            ),
            Parameter::optional("sort", "Sort order, default `-created_at` (newest first).", order),
            Parameter::optional(
                "after",
                "The `next` cursor of the previous page, in the same order.",
                text,
            ),
            Parameter::optional("limit", "Page size: 1 to 100, default 50.", limit),
        ],
        request: None,
        status: 200,
        answer: bodies::part::<AccountPage>,
        codes: &[Code::ValidationFailed],
    },
    Described {
        method: Method::PATCH,
        path: "/api/users",
        id: "update_user",
        summary: "Update a user account",
        description: "For administrators, with a fresh access token. Absent members stay \
                      unchanged. Disabling an account or ending its sessions takes effect on the \
                      next request; ended sessions stay ended when the account is enabled again. \
                      The last active administrator cannot be disabled or demoted (`last_admin`), \
                      and administrators cannot disable themselves.",
        parameters: &[],
        request: Some(bodies::account_changes),
        status: 200,
        answer: bodies::part::<AccountChanged>,
        codes: &[Code::ValidationFailed, Code::NotFound, Code::LastAdmin],
    },
];
