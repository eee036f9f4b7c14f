//! Snapshots of the API: the OpenAPI document, and of each endpoint the response to a success and to
//! a failure. A change of the contract shows as a change of a file in `snapshots/`.
//!
//! `INSTA_UPDATE=always cargo test -p server --test http snapshots` writes the files anew.

use app::protocol::{
    Done, LoggedIn, Profile, ProfileChanged, Reauthenticated, Refreshed, Registered, Verified,
    activity::ActivityPage,
    addresses::{AddressVerified, Undone},
    audit::AuditPage,
    error::ApiError,
    files::{FileList, FileUploaded, UserChanged},
    invitations::{InvitationList, Invited},
    json::from_slice,
    moderation::NoticeList,
    sessions::SessionList,
    users::{AccountChanged, AccountDetails, AccountPage},
};
use axum::http::{Method, StatusCode};
use image::ImageFormat;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use server::{
    domain::{
        access::AuthRequirement,
        one_time_code::{OneTimeCode, Purpose},
    },
    http::{Endpoint, endpoints},
};

use crate::{
    app::{App, PASSWORD, RequestBuilder, Response, Tokens},
    forged_tokens::parts,
    pictures::picture,
    recovery,
};

/// Members with random values.
const VOLATILE: [&str; 10] = [
    "id",
    "access_token",
    "refresh_token",
    "request_id",
    "avatar_url",
    "next",
    "latest",
    "session",
    "session_id",
    "link",
];

/// Compares a text with a file of `snapshots/`. `.cargo/config.toml` keeps a failed comparison from
/// writing it.
fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

/// Replaces the values of volatile members by their names.
fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if VOLATILE.contains(&&**name) && !member.is_null() {
                    *member = format!("[{name}]").into();
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// Status, the headers that belong to the contract, and the body. Of a body that is not JSON, whether
/// it is empty.
fn describe(response: &Response) -> String {
    let headers = ["content-type", "content-disposition", "retry-after", "www-authenticate"];
    let headers = headers
        .into_iter()
        .filter_map(|name| response.header(name).map(|value| format!("{name}: {value}\n")));
    let head = format!("{}\n{}", response.status, headers.collect::<String>());
    let body = if response.header("content-type") == Some("application/json") {
        let mut body = response.json();
        redact(&mut body);
        pretty(&body)
    } else if response.bytes.is_empty() {
        String::new()
    } else {
        "[bytes]".to_owned()
    };
    format!("{head}\n{body}")
}

/// A server with accounts, a session and a file.
struct Setup {
    app: App,
    admin: Tokens,
    user: Tokens,
    user_id: String,
    file_id: String,
    notice_id: String,
    undo_token: String,
    /// Token that verifies an address of the user.
    verification: String,
    /// Token that resets the password of another account.
    reset: String,
    invitation_id: String,
}

impl Setup {
    async fn new() -> Self {
        let app = recovery::start(&[]).await;
        let admin = app.admin("root").await;
        let user = app.register_and_login("alice").await;
        let user_id = text(&app.me(&user.access).await.json()["id"]);
        let file = app.post("/api/me/files?name=x.png").bearer(&user.access);
        let file = file.body(picture(ImageFormat::Png, 8, 8)).send().await;
        assert_eq!(file.status, StatusCode::CREATED, "{}", file.text());
        let file_id = text(&file.json()["file"]["id"]);
        let avatar = app.call(Method::PUT, "/api/me/avatar").bearer(&user.access);
        let avatar = avatar.body(picture(ImageFormat::Png, 16, 16)).send().await;
        assert_eq!(avatar.status, StatusCode::OK, "{}", avatar.text());
        let removal = json!({ "id": user_id, "reason": "other", "text": "Not a face" });
        let removal = app.post("/api/users/removals").bearer(&admin.access).json(&removal);
        assert_eq!(removal.send().await.status, StatusCode::OK);
        let notices = app.get("/api/me/notices").bearer(&user.access).send().await.json();
        let notice_id = text(&notices["notices"][0]["id"]);
        let undo_token = Self::undo_token(&app, &user_id).await;
        let change = app.call(Method::PATCH, "/api/me").bearer(&user.access);
        let change = change.json(&json!({ "email": "alice@example.com" })).send().await;
        assert_eq!(change.status, StatusCode::ACCEPTED, "{}", change.text());
        let (_, verification, _) = recovery::only_code(&app).await;
        app.register("reset@example.com").await;
        app.take_mails().await;
        app.forgot("reset@example.com").await;
        let (_, reset, _) = recovery::only_code(&app).await;
        let invitation = app.post("/api/invitations").bearer(&admin.access).json(&json!({}));
        let invitation_id = text(&invitation.send().await.json()["id"]);
        Self {
            app,
            admin,
            user,
            user_id,
            file_id,
            notice_id,
            undo_token,
            verification,
            reset,
            invitation_id,
        }
    }

    /// Returns the token of an alert.
    async fn undo_token(app: &App, user: &str) -> String {
        let user = Some(user.parse().expect("an id"));
        let address = Some("alice@example.com".to_owned());
        let code = OneTimeCode::generate(&app.env(), Purpose::Undo, user, address, None);
        let token = code.token.as_str().to_owned();
        app.server.store.issue_one_time_code(code).await.expect("stored");
        token
    }

    fn request(&self, endpoint: &Endpoint, query: &str) -> RequestBuilder {
        let path = format!("{}{query}", endpoint.path);
        let request = self.app.call(endpoint.method.clone(), &path);
        match endpoint.auth {
            AuthRequirement::Public | AuthRequirement::Optional => request,
            AuthRequirement::Refresh => request.bearer(&self.user.refresh),
            AuthRequirement::Admin | AuthRequirement::FreshAdmin => {
                request.bearer(&self.admin.access)
            }
            AuthRequirement::Access | AuthRequirement::Fresh | AuthRequirement::AccessOrRefresh => {
                request.bearer(&self.user.access)
            }
        }
    }

    /// A request that succeeds.
    fn success(&self, endpoint: &Endpoint) -> RequestBuilder {
        let request = |query: &str| self.request(endpoint, query);
        let image = || picture(ImageFormat::Png, 16, 16);
        match endpoint.id() {
            "register" => request("").json(&json!({ "username": "bob", "password": PASSWORD })),
            "login" => request("").json(&json!({ "username": "alice", "password": PASSWORD })),
            "reauthenticate" => request("").json(&json!({ "password": PASSWORD })),
            "refresh"
            | "verify"
            | "logout"
            | "get_profile"
            | "list_sessions"
            | "revoke_sessions"
            | "delete_avatar"
            | "list_files"
            | "export_account"
            | "list_notices"
            | "list_activity"
            | "send_own_verification"
            | "list_invitations" => request(""),
            "undo" => request("").json(&json!({ "token": self.undo_token })),
            "reset_password" => request("").json(&json!({
                "token": self.reset, "password": "battery horse correct",
            })),
            "verify_address" => request("").json(&json!({ "token": self.verification })),
            "send_verification" => {
                request("").json(&json!({ "username": "alice", "password": PASSWORD }))
            }
            "verify_account_address" | "send_account_verification" => {
                request("").json(&json!({ "id": self.user_id }))
            }
            "create_invitation" => request("").json(&json!({ "email": "ada@example.com" })),
            "revoke_invitation" => request(&format!("?id={}", self.invitation_id)),
            "list_users" => request("?search=alice"),
            "get_account" | "list_account_sessions" | "list_account_files" => {
                request(&format!("?id={}", self.user_id))
            }
            "revoke_account_session" => {
                let session = parts(&self.user.access).1["sid"].clone();
                request(&format!("?id={}&session={}", self.user_id, text(&session)))
            }
            "download_account_file" => {
                request(&format!("?id={}&file={}", self.user_id, self.file_id))
            }
            "remove_picture" => request("").json(&json!({
                "id": self.user_id, "file": self.file_id, "reason": "copyright",
            })),
            "list_audit_entries" => request("?event=registered"),
            "dismiss_notice" => request(&format!("?id={}", self.notice_id)),
            "update_profile" => request("").json(&json!({ "nickname": "Ada" })),
            "forgot_password" | "delete_account" => {
                request("").json(&json!({ "username": "alice" }))
            }
            "change_password" => request("").json(&json!({
                "current_password": PASSWORD, "password": "battery horse correct",
            })),
            "set_avatar" => request("").body(image()),
            "upload_file" => request("?name=y.png").body(image()),
            "download_file" | "delete_file" => request(&format!("?id={}", self.file_id)),
            "update_user" => request("").json(&json!({ "id": self.user_id, "disabled": true })),
            other => panic!("{other} has no request for a snapshot"),
        }
    }

    /// A request that fails in the endpoint itself; one without a token, where nothing else fails.
    fn failure(&self, endpoint: &Endpoint) -> RequestBuilder {
        let request = |query: &str| self.request(endpoint, query);
        match endpoint.id() {
            "register" => request("").json(&json!({ "username": "alice", "password": PASSWORD })),
            "login" => request("").json(&json!({ "username": "alice", "password": "wrong" })),
            "reauthenticate" => request("").json(&json!({ "password": "wrong" })),
            "update_profile" | "create_invitation" => {
                request("").json(&json!({ "email": "no address" }))
            }
            "delete_account" => request("").json(&json!({ "username": "bob" })),
            "change_password" => {
                request("").json(&json!({ "current_password": "wrong", "password": "short" }))
            }
            "set_avatar" | "upload_file" => request("").body("no image"),
            "undo" | "reset_password" | "verify_address" => {
                request("").json(&json!({ "token": "x" }))
            }
            "send_verification" => {
                request("").json(&json!({ "username": "alice", "password": "wrong" }))
            }
            "forgot_password" | "verify_account_address" | "send_account_verification" => {
                request("").json(&json!({}))
            }
            "revoke_invitation"
            | "revoke_sessions"
            | "delete_file"
            | "download_file"
            | "get_account"
            | "list_account_sessions"
            | "list_account_files"
            | "dismiss_notice" => request("?id=019b76da-a800-7000-8000-000000000000"),
            "list_files" | "list_activity" => request("?after=x"),
            "list_users" => request("?sort=x&limit=0"),
            "revoke_account_session" => request(&format!(
                "?id={}&session=019b76da-a800-7000-8000-000000000000",
                self.user_id
            )),
            "download_account_file" => {
                request(&format!("?id={}&file=019b76da-a800-7000-8000-000000000000", self.user_id))
            }
            "remove_picture" => request("").json(&json!({ "id": self.user_id })),
            "list_audit_entries" => request("?event=x&limit=0"),
            "update_user" => request("").json(&json!({ "role": "admin" })),
            "refresh" => self.app.call(Method::POST, endpoint.path).bearer(&self.user.access),
            _ => self.app.call(endpoint.method.clone(), endpoint.path),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// Decodes a body with the browser's decoder, which cannot decode every type that serde can.
fn assert_browser_decodes<T: DeserializeOwned + Serialize>(body: &[u8]) {
    let decoded: T = from_slice(body).expect("the browser's decoder can decode it");
    let expected: T = serde_json::from_slice(body).expect("JSON");
    let value = |body: &T| serde_json::to_value(body).expect("JSON");
    assert_eq!(value(&decoded), value(&expected));
}

/// Like [`assert_browser_decodes`], with the type that has this name in the OpenAPI document.
fn assert_browser_decodes_schema(schema: &str, body: &[u8]) {
    macro_rules! decode_one_of {
        ($($type:ident),* $(,)?) => {
            match schema {
                $(stringify!($type) => assert_browser_decodes::<$type>(body),)*
                // Bytes, not JSON.
                "Archive" | "Picture" => {}
                other => panic!("{other} is missing here"),
            }
        };
    }
    decode_one_of!(
        AccountChanged,
        AccountDetails,
        AccountPage,
        ActivityPage,
        AddressVerified,
        AuditPage,
        Done,
        FileList,
        FileUploaded,
        InvitationList,
        Invited,
        LoggedIn,
        NoticeList,
        Profile,
        ProfileChanged,
        Reauthenticated,
        Refreshed,
        Registered,
        SessionList,
        Undone,
        UserChanged,
        Verified,
    );
}

/// Returns the name of the schema of a response in the OpenAPI document.
fn schema_of<'a>(document: &'a Value, endpoint: &Endpoint, status: StatusCode) -> &'a str {
    let operation = &document["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
    let content = &operation["responses"][status.as_str()]["content"];
    let media = content.as_object().and_then(|types| types.values().next()).expect("a media type");
    let reference = media["schema"]["$ref"].as_str().expect("a reference");
    reference.rsplit('/').next().expect("a name")
}

#[tokio::test]
async fn openapi_document_equals_its_snapshot() {
    let app = App::start().await;
    let document = app.get("/api/openapi.json").send().await.json();
    assert_snapshot("openapi", &pretty(&document));
}

#[tokio::test]
async fn success_and_failure_of_every_endpoint_equal_their_snapshots_and_are_decoded() {
    let document = App::start().await.get("/api/openapi.json").send().await.json();
    for endpoint in endpoints() {
        let setup = Setup::new().await;
        let response = setup.failure(endpoint).send().await;
        assert!(response.status.as_u16() >= 400, "{endpoint}: {}", response.status);
        assert_snapshot(&format!("{}.failure", endpoint.id()), &describe(&response));
        assert_browser_decodes::<ApiError>(&response.bytes);
        let response = setup.success(endpoint).send().await;
        assert!(response.status.is_success(), "{endpoint}: {}", response.text());
        assert_snapshot(&format!("{}.success", endpoint.id()), &describe(&response));
        let schema = schema_of(&document, endpoint, response.status);
        assert_browser_decodes_schema(schema, &response.bytes);
    }
}
