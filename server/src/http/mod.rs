//! The router: what comes in over HTTP, and what goes out.

mod answer;
pub mod assets;
mod cors;
mod envelope;
mod gate;
pub mod pages;
mod well_known;

use axum::{Router, body::Body, extract::Request, middleware, response::Response, routing::any};
use leptos::prelude::provide_context;

use app::backend::Backend;

use crate::{sessions::SessionService, tokens::keys::Keys};

/// What the router needs of the server.
#[derive(Clone)]
pub struct State {
    /// What the server functions ask.
    pub backend: Backend,
    /// Knows who calls.
    pub sessions: SessionService,
    /// The keys, whose public halves anybody may read.
    pub keys: std::sync::Arc<Keys>,
    /// Time and chance: the names of requests.
    pub world: crate::clock::World,
    /// Other origins whose pages may call.
    pub allowed_origins: std::sync::Arc<[String]>,
}

/// Everything that is served: `/api` and the public keys from here, all else from `pages`.
pub fn router(state: State, pages: Router) -> Router {
    let api = any(server_function)
        .with_state(state.clone())
        .layer(middleware::from_fn_with_state(state.clone(), gate::guard));
    pages
        .route("/api", api.clone())
        .route("/api/", api.clone())
        .route("/api/{*rest}", api)
        .route(well_known::JWKS, any(well_known::jwks).with_state(state.clone()))
        .layer(middleware::from_fn_with_state(state, envelope::wrap))
}

async fn server_function(
    axum::extract::State(state): axum::extract::State<State>,
    request: Request<Body>,
) -> Response<Body> {
    use axum::response::IntoResponse as _;
    let context = move || provide_context(state.backend.clone());
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}
