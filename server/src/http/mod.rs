//! The router: what comes in over HTTP, and what goes out.

mod api_dispatch;
mod body;
mod client_info;
pub(crate) mod connections;
mod cors;
mod error_page;
mod error_response;
mod file_response;
mod handlers;
mod headers;
mod openapi;
pub mod pages;
mod request_middleware;
pub mod static_files;
mod well_known;

use std::sync::Arc;

use app::backend::Backend;
use axum::{Router, middleware, routing::any};

use self::request_middleware::Envelope;
pub use self::{
    body::{Bodies, UploadLimits},
    connections::{ConnectionLimits, raise_descriptor_limit},
    handlers::handled,
};
use crate::{files::FileService, sessions::SessionService, tokens::keys::KeyStore};

/// What the router needs of the server.
#[derive(Clone)]
pub struct State {
    /// What the server functions ask.
    pub backend: Backend,
    /// Knows who calls.
    pub sessions: SessionService,
    /// What people have sent.
    pub files: FileService,
    /// Collects request bodies.
    pub bodies: Bodies,
    /// The keys, whose public halves anybody may read.
    pub keys: Arc<KeyStore>,
    /// Time and chance: the names of requests.
    pub env: crate::clock::Env,
    /// Other origins whose pages may call.
    pub allowed_origins: Arc<[String]>,
    /// Proxies that are believed from where a call comes.
    pub trusted_proxies: Arc<[crate::network::Network]>,
}

/// Everything that is served: `/api`, people's pictures and the public keys from here, all else
/// from `pages`.
pub fn router(state: State, pages: Router) -> Router {
    let keys = Arc::clone(&state.keys);
    let files = state.files.clone();
    let envelope =
        Envelope { env: state.env.clone(), trusted_proxies: Arc::clone(&state.trusted_proxies) };
    let api = any(api_dispatch::serve).with_state(Arc::new(state));
    pages
        .route("/api", api.clone())
        .route("/api/", api.clone())
        .route("/api/{*rest}", api)
        .route(openapi::JSON, any(openapi::json))
        .route(openapi::PAGE, any(openapi::page))
        .route(file_response::AVATARS, any(file_response::avatar).with_state(files))
        .route(well_known::JWKS, any(well_known::jwks).with_state(keys))
        .layer(middleware::from_fn_with_state(envelope, request_middleware::wrap))
}
