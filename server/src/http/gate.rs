//! What stands before every operation: whether there is one, who calls, and what came as its body, in this order.

use std::net::SocketAddr;

use app::{
    api::{
        error::Code,
        operations::{self, Auth, Operation},
    },
    backend::{Failure, Origin},
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts, uri::PathAndQuery},
    middleware::Next,
    response::Response,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{answer, cors::Cors};
use crate::tokens::bearer::bearer;

/// Bytes of the largest body.
const BODY_MAX: usize = 64 * 1024;
/// Characters of a program's name that are kept. Header values that are text have no control characters.
const USER_AGENT_MAX: usize = 256;

pub(super) async fn guard(State(state): State<super::State>, request: Request, next: Next) -> Response<Body> {
    let cors = Cors::read(request.headers(), &state.allowed_origins);
    let allow = allow(request.uri().path());
    let is_head = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let mut response = match admit(&state, parts, body).await {
        Ok(request) => next.run(request).await,
        Err(response) => response,
    };
    let headers = response.headers_mut();
    // An inner name of the machinery, of no use to a caller.
    headers.remove("serverfnerror");
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let (Some(allow), StatusCode::NO_CONTENT | StatusCode::METHOD_NOT_ALLOWED) = (&allow, response.status()) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    cors.write(response.headers_mut(), allow.as_ref());
    if is_head { without_body(response) } else { response }
}

/// The request as the server function is to see it, or the answer to one that it is not to see.
async fn admit(state: &super::State, mut parts: Parts, body: Body) -> Result<Request, Response<Body>> {
    let operation = match find(&parts) {
        Ok(operation) => operation,
        Err(Found::Nothing) => return Err(answer::failure(&parts, Code::NotFound)),
        Err(Found::OtherVerbs) => return Err(answer::failure(&parts, Code::MethodNotAllowed)),
        Err(Found::Question) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Err(response);
        }
    };
    let origin = origin(&parts);
    parts.extensions.insert(origin);
    if let Err(failure) = identify(state, operation, &mut parts).await {
        return Err(answer::failure(&parts, failure));
    }
    let body = match read_body(operation, &parts.headers, body).await {
        Ok(body) => body,
        Err(code) => return Err(answer::failure(&parts, code)),
    };
    prepare(&mut parts, operation, &body);
    Ok(Request::from_parts(parts, Body::from(body)))
}

enum Found {
    Nothing,
    OtherVerbs,
    /// `OPTIONS`: which verbs are there?
    Question,
}

fn find(parts: &Parts) -> Result<&'static Operation, Found> {
    let mut here = operations::at(parts.uri.path()).peekable();
    if here.peek().is_none() {
        return Err(Found::Nothing);
    }
    if parts.method == Method::OPTIONS {
        return Err(Found::Question);
    }
    let wanted = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    here.find(|operation| operation.method == wanted).ok_or(Found::OtherVerbs)
}

/// From where a request came.
fn origin(parts: &Parts) -> Origin {
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(|text| text.chars().take(USER_AGENT_MAX).collect());
    Origin { address, user_agent }
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

/// Finds out who calls, and puts it where the server function looks.
async fn identify(state: &super::State, operation: &Operation, parts: &mut Parts) -> Result<(), Failure> {
    if operation.auth == Auth::Nobody {
        // A token means nothing here, but two of them are no request.
        return match bearer(&parts.headers) {
            Err(Code::BadRequest) => Err(Code::BadRequest.into()),
            _ => Ok(()),
        };
    }
    let origin = parts.extensions.get::<Origin>().cloned().unwrap_or_default();
    let caller = state.sessions.authenticate(&parts.headers, operation.auth, &origin).await?;
    parts.extensions.insert(caller);
    Ok(())
}

async fn read_body(operation: &Operation, headers: &HeaderMap, body: Body) -> Result<Bytes, Code> {
    if operation.body == operations::Body::None {
        // The JSON codec wants an object also where there is nothing to say.
        return Ok(if operation.method == Method::POST { Bytes::from_static(b"{}") } else { Bytes::new() });
    }
    if !is_json(headers) {
        return Err(Code::UnsupportedMediaType);
    }
    // What says that it is too large is not read at all.
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Code::PayloadTooLarge);
    }
    match Limited::new(body, BODY_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Code::PayloadTooLarge),
        // The connection broke: nobody is there to read this.
        Err(_) => Err(Code::BadRequest),
    }
}

/// Whether the body says that it is `application/json`, with whatever parameters (RFC 9110 §8.3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let essence = first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    second.is_none() && essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Makes the head one that the server function's machinery takes as meant: no redirect for a browser's navigation, no query
/// where none is taken.
fn prepare(parts: &mut Parts, operation: &Operation, body: &Bytes) {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    parts.method = operation.method.clone();
    parts.headers.insert(header::ACCEPT, JSON);
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    parts.headers.remove(header::TRANSFER_ENCODING);
    let mut uri = parts.uri.clone().into_parts();
    uri.path_and_query = Some(PathAndQuery::from_static(operation.path));
    if let Ok(uri) = uri.try_into() {
        parts.uri = uri;
    }
}

/// The answer to `HEAD`: that to `GET`, with its length and without its body (RFC 9110 §9.3.2).
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(parts, Body::empty())
}
