//! The endpoints of the API. Each is declared once, in the file of its area: path, method, access
//! rule, body, limit, handler and documentation. The router, the OpenAPI document and the tests
//! derive from these declarations.
//!
//! A server function states its path and method in its `#[server]` attribute, and the types of its
//! input and output in its signature; its declaration takes them from there.

mod addresses;
mod auth;
mod docs;
mod files;
mod profile;
mod sessions;
mod users;

use std::{fmt, sync::LazyLock};

use app::{
    backend::{Failure, RequestContext},
    protocol::error::Code,
    server_fns::WithInput,
};
use axum::{
    body::Bytes,
    http::{Method, StatusCode, Uri},
    response::Response,
};
use futures::future::BoxFuture;
use leptos::server_fn::{Protocol, ServerFn};
use utoipa::{IntoParams, ToSchema, openapi::path::ParameterIn};

pub(super) use self::docs::{BodyDocs, Docs, Schemas, Tag, json};
use crate::{domain::access::AuthRequirement, files::FileService, limits::ChangeLimit};

/// All endpoints, in the order of the documentation.
static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let areas = [
        auth::endpoints(),
        addresses::endpoints(),
        profile::endpoints(),
        sessions::endpoints(),
        files::endpoints(),
        users::endpoints(),
    ];
    areas.into_iter().flatten().collect()
});

/// Returns all endpoints.
#[must_use]
pub fn endpoints() -> &'static [Endpoint] {
    &ENDPOINTS
}

/// The declaration of an endpoint.
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Its access rule.
    pub auth: AuthRequirement,
    /// The input that it takes.
    pub input: Input,
    /// Limits of changes that its requests count against.
    pub change_limit: ChangeLimit,
    pub(super) handler: Handler,
    pub(super) docs: Docs,
}

/// Input of an endpoint. A query or body that it does not take is dropped unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// None.
    None,
    /// A JSON object in the body.
    Json,
    /// A query.
    Query,
    /// Bytes of any media type in the body, and possibly a query.
    Upload,
}

/// The code that handles an endpoint's requests.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// A server function.
    ServerFn,
    /// A function that takes or returns bytes, which server functions do not do well.
    Bytes(fn(ByteRequest) -> BoxFuture<'static, Result<Response, Failure>>),
}

/// A request for a [`Handler::Bytes`] that passed all checks.
pub(super) struct ByteRequest {
    pub(super) files: FileService,
    pub(super) context: RequestContext,
    /// Path and query, without a query that the endpoint does not take.
    pub(super) uri: Uri,
    /// The upload; empty if the endpoint takes none.
    pub(super) body: Bytes,
}

impl Endpoint {
    /// A server function without input.
    fn server_fn<F: ServerFn<Output: ToSchema>>(
        tag: Tag,
        id: &'static str,
        auth: AuthRequirement,
    ) -> Self {
        let method = <F::Protocol as Protocol<
            F,
            F::Output,
            F::Client,
            F::Server,
            F::Error,
            F::InputStreamError,
            F::OutputStreamError,
        >>::METHOD;
        Self::new(tag, id, method, F::PATH, auth, Handler::ServerFn).returns(json::<F::Output>())
    }

    /// A server function that takes a JSON body.
    fn json_fn<F: ServerFn<Output: ToSchema> + WithInput<Input: ToSchema>>(
        tag: Tag,
        id: &'static str,
        auth: AuthRequirement,
    ) -> Self {
        let mut endpoint = Self::server_fn::<F>(tag, id, auth);
        endpoint.input = Input::Json;
        endpoint.docs.request = Some(json::<F::Input>());
        endpoint
    }

    /// A server function that takes a query.
    fn query_fn<F: ServerFn<Output: ToSchema> + WithInput<Input: IntoParams>>(
        tag: Tag,
        id: &'static str,
        auth: AuthRequirement,
    ) -> Self {
        Self::server_fn::<F>(tag, id, auth).query::<F::Input>()
    }

    /// An endpoint that takes or returns bytes.
    fn bytes(
        tag: Tag,
        id: &'static str,
        method: Method,
        path: &'static str,
        auth: AuthRequirement,
        handler: fn(ByteRequest) -> BoxFuture<'static, Result<Response, Failure>>,
    ) -> Self {
        Self::new(tag, id, method, path, auth, Handler::Bytes(handler))
    }

    fn new(
        tag: Tag,
        id: &'static str,
        method: Method,
        path: &'static str,
        auth: AuthRequirement,
        handler: Handler,
    ) -> Self {
        let is_change = auth != AuthRequirement::Public && method != Method::GET;
        Self {
            method,
            path,
            auth,
            input: Input::None,
            change_limit: if is_change { ChangeLimit::Account } else { ChangeLimit::None },
            handler,
            docs: Docs {
                id,
                tag,
                summary: "",
                description: "",
                parameters: Vec::new,
                request: None,
                status: StatusCode::OK,
                response: BodyDocs { media_types: &[], schemas: Vec::new },
                cookie: None,
                errors: &[],
            },
        }
    }

    /// The `operationId` of the documentation.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.docs.id
    }

    /// Sets summary and description.
    fn describe(mut self, summary: &'static str, description: &'static str) -> Self {
        (self.docs.summary, self.docs.description) = (summary, description);
        self
    }

    /// Takes a query.
    fn query<Q: IntoParams>(mut self) -> Self {
        if self.input == Input::None {
            self.input = Input::Query;
        }
        self.docs.parameters = || Q::into_params(|| Some(ParameterIn::Query));
        self
    }

    /// Takes an upload.
    fn upload(mut self, body: BodyDocs) -> Self {
        self.input = Input::Upload;
        self.docs.request = Some(body);
        self
    }

    /// Sets the body of a success.
    fn returns(mut self, body: BodyDocs) -> Self {
        self.docs.response = body;
        self
    }

    /// Responds with 201, not 200.
    fn created(mut self) -> Self {
        self.docs.status = StatusCode::CREATED;
        self
    }

    /// Responds with 202, not 200: a message is on its way.
    fn accepted(mut self) -> Self {
        self.docs.status = StatusCode::ACCEPTED;
        self
    }

    /// Sets a cookie.
    fn sets_cookie(mut self, description: &'static str) -> Self {
        self.docs.cookie = Some(description);
        self
    }

    /// Sets the limit of changes, where it is not that of the method: `Account` for methods other
    /// than `GET` of authenticated callers, `None` for all others.
    fn change_limit(mut self, limit: ChangeLimit) -> Self {
        self.change_limit = limit;
        self
    }

    /// Sets the error codes of the handler.
    fn errors(mut self, codes: &'static [Code]) -> Self {
        self.docs.errors = codes;
        self
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn change_limits_are_those_of_writes_by_authenticated_callers() {
        let with = |limit: ChangeLimit| -> Vec<_> {
            let of_limit = endpoints().iter().filter(|endpoint| endpoint.change_limit == limit);
            of_limit.map(ToString::to_string).collect()
        };
        assert_eq!(
            with(ChangeLimit::None),
            [
                "POST /api/auth/register",
                "POST /api/auth/login",
                "POST /api/auth/refresh",
                "POST /api/auth/verify",
                "POST /api/auth/undo",
                "DELETE /api/auth/logout",
                "POST /api/auth/forgot",
                "POST /api/auth/reset",
                "POST /api/auth/send-verification",
                "GET /api/invitations",
                "GET /api/me",
                "GET /api/me/sessions",
                "GET /api/me/activity",
                "GET /api/me/files",
                "GET /api/me/file",
                "GET /api/me/notices",
                "GET /api/users",
                "GET /api/users/account",
                "GET /api/users/sessions",
                "GET /api/users/files",
                "GET /api/users/file",
                "GET /api/audit",
            ]
        );
        assert_eq!(
            with(ChangeLimit::Session),
            [
                "POST /api/auth/reauthenticate",
                "DELETE /api/me",
                "POST /api/me/password",
                "DELETE /api/me/sessions"
            ]
        );
    }

    #[test]
    fn every_endpoint_has_documentation_and_a_unique_id() {
        let mut ids = BTreeSet::new();
        for endpoint in endpoints() {
            let docs = &endpoint.docs;
            assert!(ids.insert(docs.id), "{endpoint}");
            assert!(!docs.summary.is_empty() && !docs.description.is_empty(), "{endpoint}");
            assert!(!docs.response.media_types.is_empty(), "{endpoint}");
            let takes_body = matches!(endpoint.input, Input::Json | Input::Upload);
            assert_eq!(docs.request.is_some(), takes_body, "{endpoint}");
        }
    }
}
