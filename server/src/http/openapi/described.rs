//! What a program's author wants to know of each operation, beside what the table of operations says already.

pub(super) mod bodies;
pub(super) mod queries;

use app::api::{
    Done, LoggedIn, Profile, ProfileChanged, Reauthenticated, Refreshed, Registered, Verified,
    devices::DeviceList,
    error::Code,
    files::{FileKept, FileList, UserChanged},
    users::{AccountChanged, AccountPage},
};
use axum::http::Method;

use self::{
    bodies::Part,
    queries::{Parameter, filled, limit, order, size, text, uuid},
};

/// One operation, in words.
pub(super) struct Described {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// Its name in generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// What may stand in the address's query.
    pub(super) parameters: &'static [Parameter],
    /// What comes as its body.
    pub(super) request: Option<Part>,
    pub(super) status: u16,
    pub(super) answer: Part,
    /// What it may refuse for reasons of its own.
    pub(super) codes: &'static [Code],
}

/// The operations, in the order in which a program meets them.
pub(super) static DESCRIBED: &[Described] = &[
    Described {
        method: Method::POST,
        path: "/api/auth/register",
        id: "register",
        summary: "Make an account",
        description: "The username is an e-mail address or 3 to 32 letters, digits, `.`, `_`, `-` of one script; it is found in \
                      every spelling. The password has 8 to 128 characters, whichever; it is not the username with hardly \
                      anything around it, and none of those that everybody tries first. `fields` says what was refused and why.",
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
        summary: "Begin a session",
        description: "Who fails too often is refused with 429, whatever the password. A browser may keep the cookie that comes: \
                      it says that this device is known, and signs nobody in.",
        parameters: &[],
        request: Some(bodies::credentials),
        status: 200,
        answer: bodies::part::<LoggedIn>,
        codes: &[Code::ValidationFailed, Code::InvalidCredentials, Code::AccountDisabled, Code::TooManyAttempts],
    },
    Described {
        method: Method::POST,
        path: "/api/auth/refresh",
        id: "refresh",
        summary: "Get the session's next pair",
        description: "With the refresh token. It is good once; for some seconds it gives the same successor again, so that a \
                      retry or a parallel call costs nobody the session. Later it ends the session, unless the answer was lost.",
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
        summary: "Is this access token good?",
        description: "A token that is not is answered with 401.",
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
        summary: "Get a fresh access token",
        description: "For what answers `fresh_required`: the password, once more. The session goes on as it is, with the refresh \
                      token that it has. What fails counts against the session.",
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
        summary: "End the session",
        description: "With either token of the session: both are refused from the next request on.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[],
    },
    Described {
        method: Method::GET,
        path: "/api/me",
        id: "me",
        summary: "Who am I?",
        description: "The person behind the access token, and how long it lives.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<Profile>,
        codes: &[],
    },
    Described {
        method: Method::PATCH,
        path: "/api/me",
        id: "change_profile",
        summary: "Change what I say about myself",
        description: "A member that is not named stays as it is; `null` or an empty text removes it. Another address or number \
                      takes a fresh access token: with any other one the answer is `fresh_required`, and nothing changes.",
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
        summary: "Delete my account",
        description: "At once, with everything that is kept of it; the name is free from then on. `username` is the account's name, \
                      typed to confirm it. The last administrator has to make another one first.",
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
        summary: "Change my password",
        description: "By the rules of a registration. All other sessions of the account end, with the reason \
                      `password_changed`; this one goes on. A wrong `current_password` is refused as a field, and counts as a \
                      failure of the session.",
        parameters: &[],
        request: Some(bodies::password_change),
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::ValidationFailed, Code::TooManyAttempts],
    },
    Described {
        method: Method::GET,
        path: "/api/me/sessions",
        id: "devices",
        summary: "Where am I signed in?",
        description: "The account's living sessions: the one that asks first, then by when they were seen.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::part::<DeviceList>,
        codes: &[],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/sessions",
        id: "end_session",
        summary: "Sign a device out",
        description: "Its tokens are refused from the next request on, with the reason `ended_elsewhere`. Without `id` all sessions \
                      end but the one that asks. Another person's is answered like one that does not exist.",
        parameters: &[Parameter::optional(
            "id",
            "Which session, by its `id`. Where it is the one that asks, that is a log-out.",
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
        summary: "Change my picture",
        description: "The body is a JPEG, PNG or WebP of at most 5 MB and 24 megapixels, whatever its type is said to be. It is \
                      made anew: the square in its middle, the right side up, without what else the file says. `avatar_url` \
                      is the one of 512 pixels; beside it, with `-96` in place of `-512`, is one of 96. Neither ever changes.",
        parameters: &[],
        request: Some(bodies::picture),
        status: 200,
        answer: bodies::part::<UserChanged>,
        codes: &[Code::ValidationFailed, Code::PayloadTooLarge, Code::UnsupportedMediaType],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/avatar",
        id: "remove_avatar",
        summary: "Take my picture away",
        description: "That there is none is as good.",
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
        summary: "Which pictures do I keep here?",
        description: "Newest first, a page at a time. An empty `after` or `limit` counts as absent.",
        parameters: &[
            Parameter::optional("after", "The `next` of the page before.", text),
            Parameter::optional("limit", "Files on a page: 1 to 100, by default 50.", limit),
        ],
        request: None,
        status: 200,
        answer: bodies::part::<FileList>,
        codes: &[],
    },
    Described {
        method: Method::POST,
        path: "/api/me/files",
        id: "keep_file",
        summary: "Keep a picture here",
        description: "The body is a JPEG, PNG or WebP of at most 5 MB and 24 megapixels. It is kept as it came, for its person \
                      alone, with a small one beside it. 413 also where a person's files would take up more than they may.",
        parameters: &[Parameter::optional("name", "What it is called; its ending follows what it is.", text)],
        request: Some(bodies::picture),
        status: 201,
        answer: bodies::part::<FileKept>,
        codes: &[Code::ValidationFailed, Code::PayloadTooLarge, Code::UnsupportedMediaType],
    },
    Described {
        method: Method::DELETE,
        path: "/api/me/files",
        id: "remove_file",
        summary: "Delete one of my pictures",
        description: "That of another person is answered like one that does not exist.",
        parameters: &[Parameter::required("id", "Which one.", uuid)],
        request: None,
        status: 200,
        answer: bodies::part::<Done>,
        codes: &[Code::NotFound],
    },
    Described {
        method: Method::GET,
        path: "/api/me/file",
        id: "open_file",
        summary: "Get one of my pictures",
        description: "Its bytes, to be saved. That of another person is answered like one that does not exist.",
        parameters: &[
            Parameter::required("id", "Which one.", uuid),
            Parameter::optional("size", "`full` (the default), or `thumb`: a JPEG of at most 512 pixels across.", size),
        ],
        request: None,
        status: 200,
        answer: bodies::picture,
        codes: &[Code::NotFound],
    },
    Described {
        method: Method::GET,
        path: "/api/me/export",
        id: "export",
        summary: "Get everything about me",
        description: "A ZIP: `account.json` with the account, its sessions, what the audit log says about it and the list of its \
                      pictures, and these pictures. One at a time: 429 while the one before is being fetched.",
        parameters: &[],
        request: None,
        status: 200,
        answer: bodies::archive,
        codes: &[Code::TooManyAttempts],
    },
    Described {
        method: Method::GET,
        path: "/api/users",
        id: "users",
        summary: "Who is there?",
        description: "A page of all accounts, for administrators. Each page names the next one: none is passed over or seen twice \
                      while others come and go, and the last of a million is as fast as the first. An empty parameter counts as \
                      absent.",
        parameters: &[
            Parameter::optional(
                "search",
                "What the name begins with, in any spelling; or the nickname, where capitals of ASCII do not count; or the \
                 whole e-mail address or id.",
                text,
            ),
            Parameter::optional("sort", "The order: `-created_at` (the newest first) unless it says otherwise.", order),
            Parameter::optional("after", "The `next` of the page before, of the same order.", text),
            Parameter::optional("limit", "How many at the most: 50 unless it says otherwise.", limit),
        ],
        request: None,
        status: 200,
        answer: bodies::part::<AccountPage>,
        codes: &[Code::ValidationFailed],
    },
    Described {
        method: Method::PATCH,
        path: "/api/users",
        id: "change_account",
        summary: "Change somebody's account",
        description: "For administrators with a fresh token. What is absent stays as it is. Who is disabled, or is to be signed out, \
                      is out on the next request; sessions that ended do not come back when the account is enabled again. The last \
                      administrator whose account may be used stays one: `last_admin`. Nobody disables themself.",
        parameters: &[],
        request: Some(bodies::account_changes),
        status: 200,
        answer: bodies::part::<AccountChanged>,
        codes: &[Code::ValidationFailed, Code::NotFound, Code::LastAdmin],
    },
];
