//! The HTTP server: router, middleware, API endpoints, pages, static files, OpenAPI document.

mod api_dispatch;
mod body;
mod client_info;
pub(crate) mod connections;
mod cors;
mod endpoints;
mod error_page;
mod error_response;
mod file_response;
mod headers;
pub mod health;
pub mod monitoring;
mod openapi;
pub mod pages;
mod plain_page;
mod request_metrics;
mod request_middleware;
pub mod static_files;
mod well_known;

use std::sync::Arc;

use app::{backend::Backend, page_settings::SiteInfo};
use axum::{
    Router, middleware,
    routing::{any, get},
};

pub use self::{
    body::{Bodies, UploadLimits},
    connections::{ConnectionLimits, raise_descriptor_limit},
    endpoints::{Endpoint, Input, endpoints},
};
use self::{health::Readiness, request_middleware::RequestMiddleware};
use crate::{files::FileService, sessions::SessionService, tokens::keys::KeyStore};

/// The part of the server that requests need.
#[derive(Clone)]
pub struct State {
    /// Use cases of the server functions.
    pub backend: Backend,
    /// Authenticates callers.
    pub sessions: SessionService,
    /// Files of users.
    pub files: FileService,
    /// Collects request bodies.
    pub bodies: Bodies,
    /// The signing keys.
    pub keys: Arc<KeyStore>,
    /// Result of health checks.
    pub readiness: Readiness,
    /// Name and links of the site.
    pub site: Arc<SiteInfo>,
    /// Clock and random source.
    pub env: crate::clock::Env,
    /// Origins that may send cross-origin requests.
    pub allowed_origins: Arc<[String]>,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: Arc<[crate::network::Network]>,
}

/// The router of the server: `/api`, avatars, public keys and health checks; all other paths go to
/// `pages`.
pub fn router(state: State, pages: Router) -> Router {
    let state = Arc::new(state);
    let context = RequestMiddleware {
        env: state.env.clone(),
        trusted_proxies: Arc::clone(&state.trusted_proxies),
        site: Arc::clone(&state.site),
    };
    let mut api = api_dispatch::routes(&state)
        .method_not_allowed_fallback(error_response::method_not_allowed);
    for path in ["/api", "/api/", "/api/{*rest}"] {
        api = api.route(path, any(error_response::not_found));
    }
    if let Some(cors) = cors::layer(&state.allowed_origins) {
        api = api.layer(cors);
    }
    let documentation = openapi::Documentation::new(Arc::clone(&state.site));
    let public = Router::new()
        .route(openapi::JSON, get(openapi::json).with_state(documentation.clone()))
        .route(openapi::PAGE, get(openapi::page).with_state(documentation))
        .route(file_response::AVATARS, get(file_response::avatar).with_state(state.files.clone()))
        .route(well_known::JWKS, get(well_known::jwks).with_state(Arc::clone(&state.keys)))
        .route(well_known::CHANGE_PASSWORD, get(well_known::change_password))
        .method_not_allowed_fallback(error_response::method_not_allowed);
    pages
        .merge(api)
        .merge(public)
        .layer(middleware::from_fn_with_state(context, request_middleware::handle))
        .merge(health::router(state.readiness.clone()))
}
