//! Routes of the API endpoints, and the checks that every request to one passes before its handler
//! runs.

use std::sync::Arc;

use app::{
    backend::{Caller, CodeRequestCookie, DeviceCookie, Failure, RequestContext, api_lang},
    protocol::error::Code,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};
use leptos::prelude::provide_context;

use super::{
    client_info,
    endpoints::{ByteRequest, Endpoint, Handler, Input, endpoints},
    error_response,
};
use crate::{domain::access::AuthRequirement, tokens::bearer::bearer};

/// Bytes of the longest query.
const QUERY_MAX: usize = 2 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An endpoint, and the part of the server that its requests need.
#[derive(Clone)]
struct Route {
    endpoint: &'static Endpoint,
    state: Arc<super::State>,
}

/// The routes of all endpoints.
pub(super) fn routes(state: &Arc<super::State>) -> Router {
    endpoints().iter().fold(Router::new(), |router, endpoint| {
        let route = Route { endpoint, state: Arc::clone(state) };
        // Fails for methods that axum does not know, which no endpoint has.
        match MethodFilter::try_from(endpoint.method.clone()) {
            Ok(method) => router.route(endpoint.path, on(method, dispatch).with_state(route)),
            Err(_) => router,
        }
    })
}

/// Handles a request to an endpoint.
async fn dispatch(State(route): State<Route>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut context = RequestContext {
        backend: route.state.backend.clone(),
        id: error_response::request_id(&parts),
        lang: api_lang(&parts.headers),
        client_info: client_info::of(&parts, &route.state.trusted_proxies),
        device_cookies: DeviceCookie::read_all(&parts.headers),
        code_request: CodeRequestCookie::read(&parts.headers),
        caller: None,
    };
    let (lang, id) = (context.lang, context.id.clone());
    let outcome = match check(&route, &mut context, &parts, body).await {
        Ok((uri, body)) => match route.endpoint.handler {
            Handler::ServerFn => Ok(run_server_fn(route.endpoint, context, uri, body).await),
            Handler::Bytes(handler) => {
                let files = route.state.files.clone();
                handler(ByteRequest { files, context, uri, body }).await
            }
        },
        Err(failure) => Err(failure),
    };
    outcome.unwrap_or_else(|failure| error_response::failure(failure, lang, &id))
}

/// The checks, in their order. An unauthenticated request is rejected before anything of it is
/// read. Returns the URI and the body for the handler.
///
/// One function and not a stack of middleware: each step needs the result of the one before, and
/// middleware would box a future per step and pass the caller through the request's extensions.
async fn check(
    route: &Route,
    context: &mut RequestContext,
    parts: &Parts,
    body: Body,
) -> Result<(Uri, Bytes), Failure> {
    let Route { endpoint, state } = route;
    context.caller = authenticate(route, context, &parts.headers).await?;
    check_change_limit(route, context)?;
    let uri = check_query(endpoint, &parts.uri)?;
    check_content_type(endpoint, &parts.headers)?;
    let received = match endpoint.input {
        Input::Json => state.bodies.json(body).await,
        Input::Upload => state.bodies.upload(context.caller()?.user, body).await,
        // The JSON codec of server functions expects an object also if there are no arguments.
        Input::None | Input::Query if endpoint.method == Method::POST => {
            Ok(Bytes::from_static(b"{}"))
        }
        Input::None | Input::Query => Ok(Bytes::new()),
    };
    if matches!(endpoint.input, Input::Json | Input::Upload) {
        // The body may have taken hours to arrive: token, session, account and role are checked
        // again.
        context.caller = Box::pin(authenticate(route, context, &parts.headers)).await?;
    }
    let body = received?;
    check_body(endpoint, &body)?;
    Ok((uri, body))
}

/// Authenticates the caller, and checks the access rule of the endpoint.
async fn authenticate(
    Route { endpoint, state }: &Route,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Failure> {
    if endpoint.auth == AuthRequirement::Public {
        // A token is ignored, but two of them are an invalid request.
        return match bearer(headers) {
            Err(Code::BadRequest) => Err(Code::BadRequest.into()),
            _ => Ok(None),
        };
    }
    if endpoint.auth == AuthRequirement::Optional
        && matches!(bearer(headers), Err(Code::TokenMissing))
    {
        return Ok(None);
    }
    state.sessions.authenticate(headers, endpoint.auth, &context.client_info).await.map(Some)
}

/// Counts a change by an authenticated caller against its rate limit.
fn check_change_limit(
    Route { endpoint, state }: &Route,
    context: &RequestContext,
) -> Result<(), Failure> {
    match &context.caller {
        Some(caller) => state.sessions.admit_change(
            caller,
            endpoint.change_limit,
            endpoint,
            &context.client_info,
        ),
        None => Ok(()),
    }
}

/// Returns the URI that the handler sees: with the query, if the endpoint takes one.
fn check_query(endpoint: &Endpoint, uri: &Uri) -> Result<Uri, Code> {
    match uri.query() {
        Some(query) if matches!(endpoint.input, Input::Query | Input::Upload) => {
            if query.len() > QUERY_MAX {
                return Err(Code::BadRequest);
            }
            format!("{}?{query}", endpoint.path).parse().map_err(|_| Code::BadRequest)
        }
        _ => Ok(Uri::from_static(endpoint.path)),
    }
}

/// Checks that a JSON body is declared as `application/json`, with any parameters (RFC 9110
/// §8.3.1).
fn check_content_type(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Code> {
    if endpoint.input != Input::Json {
        return Ok(());
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let essence =
        first.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    let is_json =
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if is_json && second.is_none() { Ok(()) } else { Err(Code::UnsupportedMediaType) }
}

/// Checks that a JSON body is an object in UTF-8: derived deserialization would also accept an
/// array, and invalid UTF-8 in members that it ignores.
fn check_body(endpoint: &Endpoint, body: &[u8]) -> Result<(), Code> {
    let is_object =
        || body.trim_ascii_start().first() == Some(&b'{') && std::str::from_utf8(body).is_ok();
    if endpoint.input != Input::Json || is_object() { Ok(()) } else { Err(Code::BadRequest) }
}

/// Runs a server function. It gets the context through Leptos, and of the request only what its
/// codec needs: no `Accept: text/html`, to which `leptos_axum` responds with a redirect, and no other
/// headers.
async fn run_server_fn(
    endpoint: &Endpoint,
    context: RequestContext,
    uri: Uri,
    body: Bytes,
) -> Response {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = endpoint.method.clone();
    *request.uri_mut() = uri;
    request.headers_mut().insert(header::ACCEPT, JSON);
    request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    let context = Arc::new(context);
    let provide = move || provide_context(Arc::clone(&context));
    let mut response =
        leptos_axum::handle_server_fns_with_context(provide, request).await.into_response();
    // Set by server_fn on failures, for its own client.
    response.headers_mut().remove("serverfnerror");
    response
}
