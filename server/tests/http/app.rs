//! Test harness: an application with its own data folder and clock, requests and responses.

use std::sync::Arc;

use ::app::{backend::ClientInfo, protocol::Role};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::{Value, json};
use server::{
    accounts::lookup,
    clock::{Clock, Env, ManualClock, SystemRandom},
    config::{Config, Sources},
    startup::Server,
    store::{AccountChange, AuditContext},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::database::PostgresDatabase;

/// The time at which each test begins, in seconds since 1970.
pub const START: i64 = 1_800_000_000;
/// A password that passes every rule.
pub const PASSWORD: &str = "correct horse battery";

/// A running application.
pub struct App {
    pub clock: Arc<ManualClock>,
    pub server: Server,
    pub folder: TempDir,
    router: Router,
    settings: Vec<(String, String)>,
    /// Dropped last, with its connections.
    postgres: Option<PostgresDatabase>,
}

/// A response, read completely.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

/// A request under construction.
pub struct RequestBuilder {
    router: Router,
    request: Request<Body>,
}

/// The tokens of a login or refresh.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Checks that of concurrent registrations of one name exactly one succeeds.
pub async fn assert_one_registered(tasks: Vec<JoinHandle<Response>>) {
    let mut created = 0;
    for task in tasks {
        let response = task.await.expect("no panic");
        match response.status {
            StatusCode::CREATED => created += 1,
            _ => response.assert_failure(409, "username_taken"),
        }
    }
    assert_eq!(created, 1);
}

impl App {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with settings, named without the prefix `GATEHOUSE_`.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(START));
        let mut settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (format!("GATEHOUSE_{name}"), (*value).to_owned()))
            .collect();
        let postgres = PostgresDatabase::create();
        let secret = "the secret of the keys of a test".to_owned();
        settings.push(("GATEHOUSE_KEYS_SECRET".to_owned(), secret));
        let has_url = settings.iter().any(|(name, _)| name == "GATEHOUSE_DATABASE_URL");
        if let Some(database) = postgres.as_ref().filter(|_| !has_url) {
            settings.push(("GATEHOUSE_DATABASE_URL".to_owned(), database.url()));
            // Many tests run at once on one server.
            settings.push(("GATEHOUSE_DATABASE_CONNECTIONS".to_owned(), "8".to_owned()));
        }
        let (server, router) = Self::open(&folder, &clock, &settings).await;
        Self { clock, server, folder, router, settings, postgres }
    }

    /// Restarts as after a kill: nothing is closed or flushed.
    pub async fn restart(self) -> Self {
        self.restart_with(&[]).await
    }

    /// Restarts with settings that are added or changed.
    pub async fn restart_with(self, changed: &[(&str, &str)]) -> Self {
        let Self { clock, folder, mut settings, postgres, .. } = self;
        for (name, value) in changed {
            let name = format!("GATEHOUSE_{name}");
            settings.retain(|(other, _)| *other != name);
            settings.push((name, (*value).to_owned()));
        }
        let (server, router) = Self::open(&folder, &clock, &settings).await;
        Self { clock, server, folder, router, settings, postgres }
    }

    /// Listens on a port of the loopback interface for the duration of the test.
    pub async fn listen(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let service =
            self.router.clone().into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        address
    }

    /// Opens a second server on the same data, as another process would.
    pub async fn second(&self) -> (Server, Router) {
        Self::open(&self.folder, &self.clock, &self.settings).await
    }

    /// Opens a second server on the same data, with another clock.
    pub async fn second_with_clock(&self, clock: &Arc<ManualClock>) -> (Server, Router) {
        Self::open(&self.folder, clock, &self.settings).await
    }

    fn read(folder: &TempDir, settings: &[(String, String)]) -> Config {
        let data =
            ("GATEHOUSE_DATA_DIR".to_owned(), folder.path().join("data").display().to_string());
        Config::read(&Sources::new(settings.iter().cloned().chain([data]), [])).expect("settings")
    }

    fn env_of(clock: &Arc<ManualClock>) -> Env {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        Env { clock, rng: Arc::new(SystemRandom) }
    }

    async fn open(
        folder: &TempDir,
        clock: &Arc<ManualClock>,
        settings: &[(String, String)],
    ) -> (Server, Router) {
        let server = Server::open(&Self::read(folder, settings), Self::env_of(clock))
            .await
            .expect("a server");
        let router = server.router(Router::new());
        (server, router)
    }

    /// Returns its settings.
    pub fn config(&self) -> Config {
        Self::read(&self.folder, &self.settings)
    }

    /// Returns its clock and random source.
    pub fn env(&self) -> Env {
        Self::env_of(&self.clock)
    }

    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let request =
            Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        RequestBuilder { router: self.router.clone(), request }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.call(Method::POST, path)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.call(Method::DELETE, path)
    }

    pub async fn register(&self, username: &str) -> Response {
        self.post("/api/auth/register")
            .json(&json!({ "username": username, "password": PASSWORD }))
            .send()
            .await
    }

    pub async fn login(&self, username: &str) -> Tokens {
        let response = self
            .post("/api/auth/login")
            .json(&json!({ "username": username, "password": PASSWORD }))
            .send()
            .await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.text());
        response.pair()
    }

    /// Registers and logs in.
    pub async fn register_and_login(&self, username: &str) -> Tokens {
        assert_eq!(self.register(username).await.status, StatusCode::CREATED);
        self.login(username).await
    }

    /// Changes an account as another process would, and lets this one follow.
    pub async fn change_in_another_process(&self, username: &str, change: AccountChange) {
        let Server { store, state, .. } = &self.server;
        let id = lookup::find(store, username).await.expect("an answer").expect("an account");
        let context = AuditContext {
            at: self.clock.now(),
            by: "a test".to_owned(),
            client_info: ClientInfo::default(),
        };
        store.change_account(id, change, context).await.expect("changed");
        state.sessions.invalidate_caches().await.expect("read again");
    }

    /// Disables an account as [`Self::change_in_another_process`] does.
    pub async fn disable(&self, username: &str) {
        let change = AccountChange { disabled: Some(true), ..AccountChange::default() };
        self.change_in_another_process(username, change).await;
    }

    /// Changes the database from outside the server.
    pub async fn execute(&self, sql: &str) {
        let database = self.database().await;
        database.execute_unprepared(sql).await.expect("executed");
        database.close().await.expect("closed");
    }

    /// Returns the integer result of a query.
    pub async fn count(&self, sql: &str) -> i64 {
        let database = self.database().await;
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let row = database.query_one_raw(statement).await.expect("an answer").expect("a row");
        database.close().await.expect("closed");
        row.try_get_by_index(0).expect("a number")
    }

    /// Opens a connection to its database from outside the server.
    pub async fn database(&self) -> DatabaseConnection {
        Database::connect(self.config().database_url).await.expect("a database")
    }

    /// Returns whether its database is PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Registers an administrator and logs in.
    pub async fn admin(&self, username: &str) -> Tokens {
        assert_eq!(self.register(username).await.status, StatusCode::CREATED);
        self.change_in_another_process(
            username,
            AccountChange { role: Some(Role::Admin), ..AccountChange::default() },
        )
        .await;
        self.login(username).await
    }

    pub async fn me(&self, token: &str) -> Response {
        self.get("/api/me").bearer(token).send().await
    }

    pub async fn refresh(&self, token: &str) -> Response {
        self.post("/api/auth/refresh").bearer(token).send().await
    }

    pub async fn logout(&self, token: &str) -> Response {
        self.delete("/api/auth/logout").bearer(token).send().await
    }
}

impl RequestBuilder {
    /// Sends the request to another server.
    pub fn to(mut self, router: &Router) -> Self {
        self.router = router.clone();
        self
    }

    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = axum::http::HeaderValue::from_bytes(value.as_ref()).expect("a header");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Sets the peer's IP address.
    pub fn from(mut self, address: &str) -> Self {
        let peer = std::net::SocketAddr::new(address.parse().expect("an address"), 4711);
        self.request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub async fn send(self) -> Response {
        let response = self.router.oneshot(self.request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        Response { status: parts.status, headers: parts.headers, bytes }
    }
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// Names of the members of a JSON object, sorted.
    pub fn members(&self) -> Vec<String> {
        let body = self.json();
        let mut members: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
        members.sort_unstable();
        members
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub fn pair(&self) -> Tokens {
        let body = self.json();
        let token =
            |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        Tokens { access: token("access_token"), refresh: token("refresh_token") }
    }

    /// Returns status, body and headers without the request id, to compare responses that must be
    /// indistinguishable.
    pub fn comparable(&self) -> (StatusCode, Value, Vec<(String, String)>) {
        let mut body = self.json();
        body.as_object_mut().expect("an object").remove("request_id");
        let headers = self.headers.iter().filter(|(name, _)| *name != "x-request-id");
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
        (self.status, body, headers.collect())
    }

    /// Asserts an error response: status, code and the conventions of all errors.
    #[track_caller]
    pub fn assert_failure(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.json()["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text()
        );
        let body = self.json();
        let members: Vec<_> =
            body.as_object().expect("an object").keys().map(String::as_str).collect();
        for member in &members {
            assert!(
                ["code", "message", "fields", "reason", "request_id"].contains(member),
                "{member}"
            );
        }
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));
        let id = body["request_id"].as_str().expect("a request id");
        assert_eq!(id.len(), 16);
        assert_eq!(self.header("x-request-id"), Some(id));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("content-type"), Some("application/json"));
        let challenge = self.header(header::WWW_AUTHENTICATE.as_str());
        match code {
            "token_missing" | "invalid_credentials" => assert_eq!(challenge, Some("Bearer")),
            "fresh_required" => {
                assert!(
                    challenge
                        .unwrap()
                        .starts_with(r#"Bearer error="insufficient_user_authentication", "#)
                );
            }
            _ if status == 401 => {
                let challenge = challenge.expect("a challenge");
                assert!(
                    challenge.starts_with(r#"Bearer error="invalid_token", error_description=""#),
                    "{challenge}"
                );
                assert!(challenge.is_ascii());
            }
            _ => assert_eq!(challenge, None),
        }
        assert_eq!(self.headers.contains_key(header::RETRY_AFTER), matches!(status, 429 | 503));
    }
}
