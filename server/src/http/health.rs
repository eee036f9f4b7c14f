//! Health checks: whether the process runs (`/livez`) and whether it can serve requests (`/readyz`),
//! for load balancers, container runtimes and service managers. No token, no details.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::store::Store;

/// Path of the liveness check.
pub const LIVE: &str = "/livez";
/// Path of the readiness check.
pub const READY: &str = "/readyz";

/// Time for which a result is reused: any number of checks costs one query a second.
const CACHE_TIME: Duration = Duration::from_secs(1);
/// Longest wait for the database. Kubernetes gives a probe a second by default.
const DATABASE_TIMEOUT: Duration = Duration::from_millis(800);
/// Headers of every response.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Readiness of the server: not ready until its database is open, ready while the database answers,
/// and not ready from the beginning of the shutdown. A handle: clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Set once the database is open and migrated.
    store: OnceLock<Store>,
    is_stopping: AtomicBool,
    last: Mutex<Option<Check>>,
}

/// Result of a check.
#[derive(Clone, Copy, Debug)]
struct Check {
    at: Instant,
    is_ready: bool,
}

impl Readiness {
    /// Reports ready from now on, as long as this database answers.
    pub fn start(&self, store: Store) {
        // A second call has no effect: a process opens its database once.
        let _ = self.0.store.set(store);
    }

    /// Reports not ready from now on.
    pub fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
    }

    /// Returns the database, once it is open.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.0.store.get()
    }

    /// Returns whether the server can serve requests. The answer of the database is cached for a
    /// second.
    pub async fn is_ready(&self) -> bool {
        let Some(store) = self.store() else { return false };
        // Concurrent checks share one query.
        let mut last = self.0.last.lock().await;
        let is_ready = match *last {
            Some(check) if check.at.elapsed() < CACHE_TIME => check.is_ready,
            before => {
                let is_ready = answers(store, before.is_none_or(|check| check.is_ready)).await;
                *last = Some(Check { at: Instant::now(), is_ready });
                is_ready
            }
        };
        is_ready && !self.0.is_stopping.load(Ordering::Acquire)
    }
}

/// Returns whether the database answers, and logs a change.
async fn answers(store: &Store, was_ready: bool) -> bool {
    let error = match timeout(DATABASE_TIMEOUT, store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the database does not answer in time".to_owned()),
    };
    match &error {
        Some(error) if was_ready => {
            tracing::warn!(error, "not ready: readiness checks are answered with 503");
        }
        None if !was_ready => tracing::info!("ready again"),
        _ => {}
    }
    error.is_none()
}

/// The routes of both checks. They have no middleware: checks arrive every few seconds, and are
/// neither logged nor counted.
pub(super) fn router(readiness: Readiness) -> Router {
    Router::new()
        .route(LIVE, get(async || response(true)))
        .route(
            READY,
            get(async |State(readiness): State<Readiness>| response(readiness.is_ready().await)),
        )
        .method_not_allowed_fallback(async || {
            (StatusCode::METHOD_NOT_ALLOWED, HEADERS, "method not allowed\n")
        })
        .with_state(readiness)
}

fn response(is_healthy: bool) -> Response {
    let (status, text) = outcome(is_healthy);
    (status, HEADERS, text).into_response()
}

/// Returns status and body of a response.
pub(super) fn outcome(is_healthy: bool) -> (StatusCode, &'static str) {
    if is_healthy {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable\n")
    }
}
