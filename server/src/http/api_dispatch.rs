//! What stands before every operation: whether there is one, who calls, and what came as its body,
//! in this order.

use std::sync::Arc;

use app::{
    backend::{Caller, ClientInfo, DeviceCookie, Failure, RequestContext, api_lang},
    protocol::{
        error::Code,
        operations::{self, AuthRequirement, Operation},
    },
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use leptos::prelude::provide_context;

use super::{
    client_info,
    cors::Cors,
    error_response,
    handlers::{self, Ask, Handler},
};
use crate::tokens::bearer::bearer;

/// Bytes of the longest query.
const QUERY_MAX: usize = 2 * 1024;

/// The answer to a request under `/api`.
pub(super) async fn serve(
    State(state): State<Arc<super::State>>,
    request: Request,
) -> Response<Body> {
    let cors = Cors::read(request.headers(), &state.allowed_origins);
    let is_head = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let mut response = admit_and_run(&state, &parts, body).await;
    let headers = response.headers_mut();
    // An inner name of the machinery, of no use to a caller.
    headers.remove("serverfnerror");
    cors.write(headers);
    if is_head { without_body(response) } else { response }
}

async fn admit_and_run(state: &super::State, parts: &Parts, body: Body) -> Response<Body> {
    let mut context = RequestContext {
        backend: state.backend.clone(),
        id: error_response::name(parts),
        lang: api_lang(&parts.headers),
        client_info: client_info::of(parts, &state.trusted_proxies),
        device_cookies: DeviceCookie::read_all(&parts.headers),
        caller: None,
    };
    match admit(state, &mut context, parts, body).await {
        Ok(Admitted::Function(request)) => run(context, request).await,
        Ok(Admitted::Handler(handler, address, body)) => {
            let context = Arc::new(context);
            let ask =
                Ask { files: state.files.clone(), context: Arc::clone(&context), address, body };
            handler(ask).await.unwrap_or_else(|failure| {
                error_response::failure(failure, context.lang, &context.id)
            })
        }
        Err(refusal) => refuse(refusal, &context, parts.uri.path()),
    }
}

/// Has a server function answer. It sees the call through its context, and of the request only what
/// its codec needs.
async fn run(context: RequestContext, request: Request) -> Response<Body> {
    let context = Arc::new(context);
    let context = move || provide_context(Arc::clone(&context));
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}

/// What was let in, for whatever answers it.
enum Admitted {
    /// A server function: with its body, which has been read.
    Function(Request),
    /// A handler: with its address and its body, which has been read.
    Handler(Handler, Uri, Bytes),
}

/// Why a server function does not get to see a request.
enum Refusal {
    /// `OPTIONS`: which verbs are there?
    Question,
    /// There is an operation here, but with another verb.
    OtherVerb,
    /// It must not be answered.
    Failure(Failure),
}

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

fn refuse(refusal: Refusal, context: &RequestContext, path: &str) -> Response<Body> {
    let fail = |failure| error_response::failure(failure, context.lang, &context.id);
    let mut response = match refusal {
        Refusal::Failure(failure) => return fail(failure),
        Refusal::OtherVerb => fail(Code::MethodNotAllowed.into()),
        Refusal::Question => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
    };
    if let Some(allow) = allow(path) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The request as whatever answers it is to see it.
async fn admit(
    state: &super::State,
    context: &mut RequestContext,
    parts: &Parts,
    body: Body,
) -> Result<Admitted, Refusal> {
    let operation = find(parts)?;
    context.caller = identify(state, operation, &parts.headers, &context.client_info).await?;
    if let Some(caller) = &context.caller {
        state.sessions.admit_change(caller, operation, &context.client_info)?;
    }
    let address = read_query(operation, &parts.uri)?;
    let received = read_body(state, operation, context, &parts.headers, body).await;
    if matches!(operation.body, operations::Body::Json | operations::Body::Upload) {
        // The body may have taken hours to arrive: token, session, account and role are checked
        // again.
        context.caller =
            Box::pin(identify(state, operation, &parts.headers, &context.client_info)).await?;
    }
    let body = received?;
    Ok(match handlers::find(&operation.method, operation.path) {
        Some(handler) => Admitted::Handler(handler, address, body),
        None => Admitted::Function(prepare(operation, address, body)),
    })
}

fn find(parts: &Parts) -> Result<&'static Operation, Refusal> {
    let mut here = operations::at(parts.uri.path()).peekable();
    if here.peek().is_none() {
        return Err(Code::NotFound.into());
    }
    if parts.method == Method::OPTIONS {
        return Err(Refusal::Question);
    }
    let wanted = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    here.find(|operation| operation.method == wanted).ok_or(Refusal::OtherVerb)
}

/// The verbs at a path, for `Allow` (RFC 9110 §10.2.1).
fn allow(path: &str) -> Option<HeaderValue> {
    let mut verbs: Vec<&str> = Vec::new();
    for operation in operations::at(path) {
        verbs.push(operation.method.as_str());
        if operation.method == Method::GET {
            verbs.push("HEAD");
        }
    }
    if verbs.is_empty() {
        return None;
    }
    verbs.push("OPTIONS");
    HeaderValue::from_str(&verbs.join(", ")).ok()
}

/// Authenticates the caller.
async fn identify(
    state: &super::State,
    operation: &Operation,
    headers: &HeaderMap,
    client_info: &ClientInfo,
) -> Result<Option<Caller>, Failure> {
    if operation.auth == AuthRequirement::Public {
        // A token means nothing here, but two of them are no request.
        return match bearer(headers) {
            Err(Code::BadRequest) => Err(Code::BadRequest.into()),
            _ => Ok(None),
        };
    }
    state.sessions.authenticate(headers, operation.auth, client_info).await.map(Some)
}

/// The address that whatever answers is to see: with the query where one is taken.
fn read_query(operation: &Operation, uri: &Uri) -> Result<Uri, Code> {
    match uri.query() {
        Some(query)
            if matches!(operation.body, operations::Body::Query | operations::Body::Upload) =>
        {
            if query.len() > QUERY_MAX {
                return Err(Code::BadRequest);
            }
            format!("{}?{query}", operation.path).parse().map_err(|_| Code::BadRequest)
        }
        _ => Ok(Uri::from_static(operation.path)),
    }
}

/// Collects the body of a request, as far as its operation takes one.
async fn read_body(
    state: &super::State,
    operation: &Operation,
    context: &RequestContext,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Failure> {
    match operation.body {
        operations::Body::Json if !is_json(headers) => Err(Code::UnsupportedMediaType.into()),
        operations::Body::Json => {
            let bytes = state.bodies.json(body).await?;
            // A derived structure would also take an array, and bytes that are no text where it
            // does not look at them.
            let is_object = bytes.trim_ascii_start().first() == Some(&b'{')
                && std::str::from_utf8(&bytes).is_ok();
            if is_object { Ok(bytes) } else { Err(Code::BadRequest.into()) }
        }
        operations::Body::Upload => state.bodies.upload(context.caller()?.user, body).await,
        // The JSON codec wants an object also where there is nothing to say.
        operations::Body::None | operations::Body::Query if operation.method == Method::POST => {
            Ok(Bytes::from_static(b"{}"))
        }
        operations::Body::None | operations::Body::Query => Ok(Bytes::new()),
    }
}

/// Whether the body says that it is `application/json`, with whatever parameters (RFC 9110 §8.3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let essence =
        first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    second.is_none()
        && essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// A request that the server function's machinery takes as meant: no redirect for a browser's
/// navigation, no query where none is taken, no header that it has no business with.
fn prepare(operation: &Operation, address: Uri, body: Bytes) -> Request {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = operation.method.clone();
    *request.uri_mut() = address;
    request.headers_mut().insert(header::ACCEPT, JSON);
    request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    request
}

/// The answer to `HEAD`: that to `GET`, with its length and without its body (RFC 9110 §9.3.2).
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(parts, Body::empty())
}
