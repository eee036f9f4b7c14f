//! The monitoring address: metrics and health checks, apart from the address of the API. It serves
//! from the start of the process, before the database is open, to its end, and has connections of
//! its own: it responds while the API is overloaded.

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    ConnectionLimits,
    connections::{self, Purpose},
    health::{self, Readiness},
};
use crate::metrics::{CONTENT_TYPE, Pool, metrics};

/// Path of the metrics.
pub const METRICS: &str = "/metrics";
/// Limits of connections: scrapers are few.
const LIMITS: ConnectionLimits = ConnectionLimits {
    idle_timeout: Duration::from_secs(30),
    body_rate: NonZeroU64::MIN,
    total: 64,
    per_address: 64,
};

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, readiness: Readiness) {
    let router = router(readiness.clone());
    let no_proxies: Arc<[_]> = Arc::default();
    connections::serve(
        listener,
        router,
        LIMITS,
        no_proxies,
        Purpose::Monitoring,
        readiness,
        std::future::pending(),
    )
    .await;
}

fn router(readiness: Readiness) -> Router {
    Router::new()
        .route(METRICS, get(render))
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .with_state(readiness.clone())
        .merge(health::router(readiness))
}

async fn render(State(readiness): State<Readiness>) -> Response {
    if let Some(store) = readiness.store() {
        for (pool, status) in [(Pool::Read, store.read_pool()), (Pool::Write, store.write_pool())] {
            metrics().set_pool(pool, status.open, status.idle, status.max);
        }
    }
    match metrics().render() {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
