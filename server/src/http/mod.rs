//! The router: what comes in over HTTP, and what goes out.

mod answer;
pub mod assets;
mod cors;
mod envelope;
mod gate;
mod origin;
pub mod pages;

use std::sync::Arc;

use app::backend::Backend;
use axum::{Router, middleware, routing::any};

use crate::sessions::SessionService;

/// What the router needs of the server.
#[derive(Clone)]
pub struct State {
    /// What the server functions ask.
    pub backend: Backend,
    /// Knows who calls.
    pub sessions: SessionService,
    /// Time and chance: the names of requests.
    pub world: crate::clock::World,
    /// Other origins whose pages may call.
    pub allowed_origins: Arc<[String]>,
    /// Proxies that are believed from where a call comes.
    pub trusted_proxies: Arc<[crate::network::Network]>,
}

/// Everything that is served: `/api` from here, all else from `pages`.
pub fn router(state: State, pages: Router) -> Router {
    let world = state.world.clone();
    let api = any(gate::serve).with_state(Arc::new(state));
    pages
        .route("/api", api.clone())
        .route("/api/", api.clone())
        .route("/api/{*rest}", api)
        .layer(middleware::from_fn_with_state(world, envelope::wrap))
}
