//! Metrics of requests: which endpoint a request counts for.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use app::routes::Page;
use axum::http::{Method, StatusCode};
use prometheus::{Histogram, IntCounter};

use super::{
    endpoints::endpoints,
    file_response::AVATARS,
    openapi,
    well_known::{CHANGE_PASSWORD, JWKS},
};
use crate::metrics::metrics;

/// Endpoint label of pages.
const PAGE: &str = "page";
/// Endpoint label of the files of the site.
const STATIC: &str = "static";
/// Endpoint label of all other paths.
const OTHER: &str = "other";
/// Method label of all methods that no endpoint has.
const OTHER_METHOD: &str = "other";
/// Statuses that have a counter of their own; others count as `other`.
const STATUSES: [u16; 25] = [
    200, 201, 204, 206, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 416,
    422, 429, 431, 500, 503, 504,
];

/// Metrics of all endpoints.
static ENDPOINTS: LazyLock<Endpoints> = LazyLock::new(Endpoints::new);

/// Records a request after its response has begun.
pub(super) fn record(method: &Method, path: &str, status: StatusCode, took: Duration) {
    ENDPOINTS.of(method, path, status).record(status, took);
}

/// Metrics by path, then by method.
struct Endpoints {
    by_path: HashMap<&'static str, Vec<EndpointMetrics>>,
    avatars: Vec<EndpointMetrics>,
    pages: Vec<EndpointMetrics>,
    files: Vec<EndpointMetrics>,
    other: EndpointMetrics,
}

impl Endpoints {
    fn new() -> Self {
        let mut by_path: HashMap<_, Vec<_>> = HashMap::new();
        let declared =
            endpoints().iter().map(|endpoint| (endpoint.path, method_name(&endpoint.method)));
        let gets = [openapi::JSON, openapi::PAGE, JWKS, CHANGE_PASSWORD].map(|path| (path, "GET"));
        for (path, method) in declared.chain(gets) {
            by_path.entry(path).or_default().push(EndpointMetrics::new(method, path));
        }
        Self {
            by_path,
            avatars: vec![EndpointMetrics::new("GET", AVATARS)],
            pages: vec![EndpointMetrics::new("GET", PAGE), EndpointMetrics::new("POST", PAGE)],
            files: vec![EndpointMetrics::new("GET", STATIC)],
            other: EndpointMetrics::new(OTHER_METHOD, OTHER),
        }
    }

    fn of(&self, method: &Method, path: &str, status: StatusCode) -> &EndpointMetrics {
        let of_path = match self.by_path.get(path) {
            Some(of_path) => of_path,
            None if path.starts_with("/api/") => return &self.other,
            None if path.starts_with("/avatars/") => &self.avatars,
            None if path.starts_with("/pkg/") => &self.files,
            None if Page::at(path) != Page::NotFound => &self.pages,
            // The files beside `/pkg` have a route each.
            None if status != StatusCode::NOT_FOUND => &self.files,
            None => return &self.other,
        };
        // axum answers HEAD like GET.
        let method = if method == Method::HEAD { "GET" } else { method_name(method) };
        of_path.iter().find(|metrics| metrics.method == method).unwrap_or(&self.other)
    }
}

/// Returns the method label of a method.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => OTHER_METHOD,
    }
}

/// Metrics of an endpoint, each created when it is used first.
struct EndpointMetrics {
    method: &'static str,
    name: &'static str,
    duration: OnceLock<Histogram>,
    /// By status, in the order of [`STATUSES`]; the last one is of all other statuses.
    requests: [OnceLock<IntCounter>; STATUSES.len() + 1],
}

impl EndpointMetrics {
    fn new(method: &'static str, name: &'static str) -> Self {
        let requests = std::array::from_fn(|_| OnceLock::new());
        Self { method, name, duration: OnceLock::new(), requests }
    }

    fn record(&self, status: StatusCode, took: Duration) {
        let duration = self.duration.get_or_init(|| {
            metrics().request_duration.with_label_values(&[self.method, self.name])
        });
        duration.observe(took.as_secs_f64());
        let position = STATUSES.iter().position(|known| *known == status.as_u16());
        let label = || match position {
            Some(_) => status.as_str().to_owned(),
            None => OTHER.to_owned(),
        };
        if let Some(counter) = self.requests.get(position.unwrap_or(STATUSES.len())) {
            counter
                .get_or_init(|| {
                    let labels = [self.method, self.name, &label()];
                    metrics().requests.with_label_values(&labels)
                })
                .inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_returns_the_declared_path_or_a_closed_set_of_names() {
        for (method, path, status, expected) in [
            (Method::GET, "/api/me", 200, ("GET", "/api/me")),
            (Method::HEAD, "/api/me", 200, ("GET", "/api/me")),
            (Method::PATCH, "/api/me", 401, ("PATCH", "/api/me")),
            (Method::POST, "/api/auth/login", 503, ("POST", "/api/auth/login")),
            (Method::PUT, "/api/auth/login", 405, ("other", "other")),
            (Method::GET, "/api/nothing", 404, ("other", "other")),
            (Method::GET, "/avatars/x-512.jpg", 404, ("GET", "/avatars/{file}")),
            (Method::GET, "/pkg/gatehouse.wasm", 200, ("GET", "static")),
            (Method::GET, "/favicon.svg", 200, ("GET", "static")),
            (Method::GET, "/login", 200, ("GET", "page")),
            (Method::POST, "/login", 303, ("POST", "page")),
            (Method::GET, "/wp-login.php", 404, ("other", "other")),
            (Method::OPTIONS, "/api/me", 200, ("other", "other")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let found = ENDPOINTS.of(&method, path, status);
            assert_eq!((found.method, found.name), expected, "{method} {path}");
        }
    }

    #[test]
    fn record_of_an_unlisted_status_counts_as_other() {
        let endpoint = EndpointMetrics::new("GET", "of this test");
        for status in [StatusCode::IM_A_TEAPOT, StatusCode::LOOP_DETECTED, StatusCode::OK] {
            endpoint.record(status, Duration::from_millis(3));
        }
        for (status, count) in [("other", 2), ("200", 1)] {
            let counter = metrics().requests.with_label_values(&["GET", "of this test", status]);
            assert_eq!(counter.get(), count, "{status}");
        }
        let labels = ["GET", "of this test"];
        let durations = metrics().request_duration.with_label_values(&labels);
        assert_eq!(durations.get_sample_count(), 3);
    }
}
