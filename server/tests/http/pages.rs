//! Server rendering of every page: on several threads under load, and parsed as HTML.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use server::http::{
    pages::{self, Pages},
    static_files::Site,
};
use tokio::{runtime, sync::Semaphore, task::JoinSet};
use tower::ServiceExt as _;

/// The path of every page, and an unknown path.
const PATHS: [&str; 12] = [
    "/",
    "/login",
    "/register",
    "/profile",
    "/files",
    "/settings",
    "/settings/profile",
    "/settings/security",
    "/settings/devices",
    "/settings/data",
    "/admin/users",
    "/nothing",
];
/// Renders of each page under load. Each is moved to another thread, so a single one would find a
/// panic.
const RENDERS: usize = 500;
/// Concurrent renders.
const CONCURRENCY: usize = 64;

fn router() -> Router {
    let site = Site::open(Path::new("/nowhere"), None);
    pages::router(&Pages::of(site))
}

fn request(path: &str, lang: &str) -> Request<Body> {
    let request = Request::builder().uri(path).header(header::ACCEPT_LANGUAGE, lang);
    request.body(Body::empty()).expect("a request")
}

async fn page(router: &Router, path: &str, lang: &str) -> String {
    let response = router.clone().oneshot(request(path, lang)).await.expect("an answer");
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

/// Starts a runtime with its own threads.
fn threads(name: &str) -> runtime::Runtime {
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("threads")
}

// A response stream is polled by any free thread, so a page begun by one thread may be finished and
// dropped by another. Here that happens to each page.
#[test]
fn page_rendering_finished_on_another_thread_does_not_panic() {
    let panics = Arc::new(AtomicUsize::new(0));
    let before = std::panic::take_hook();
    let counted = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name().is_some_and(|name| name.starts_with("render-")) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
    let (first, second) = (threads("render-first"), threads("render-second"));
    let router = first.block_on(async { router() });
    let turns = Arc::new(Semaphore::new(CONCURRENCY));
    let mut faults = Vec::new();
    for path in PATHS {
        let cut_off = second.block_on(async {
            let mut renders = JoinSet::new();
            for _ in 0..RENDERS {
                let turn = Arc::clone(&turns).acquire_owned().await.expect("a turn");
                let begun = first.spawn(router.clone().oneshot(request(path, "en")));
                renders.spawn(async move {
                    let response = begun.await.expect("no panic").expect("an answer");
                    let body = response.into_body().collect().await.expect("a body").to_bytes();
                    drop(turn);
                    body.windows(7).any(|window| window == b"</html>")
                });
            }
            let mut cut_off = 0;
            while let Some(render) = renders.join_next().await {
                if !render.unwrap_or(false) {
                    cut_off += 1;
                }
            }
            cut_off
        });
        let panicked = panics.swap(0, Ordering::Relaxed);
        if cut_off + panicked > 0 {
            faults.push(format!("{path}: {cut_off} pages were cut off, {panicked} panics"));
        }
    }
    assert!(faults.is_empty(), "of {RENDERS} renders each: {}", faults.join("; "));
}

#[tokio::test]
async fn page_title_is_served_as_plain_text() {
    let router = router();
    for path in PATHS {
        for lang in ["en", "zh"] {
            let html = page(&router, path, lang).await;
            let (_, rest) = html.split_once("<title>").expect("a title");
            let (title, _) = rest.split_once("</title>").expect("the end of a title");
            assert!(title.ends_with("Gatehouse") && !title.contains('<'), "{path} {lang}: {title}");
        }
    }
    let html = page(&router, "/login", "en").await;
    assert!(html.contains("<title>Log in to your account · Gatehouse</title>"), "{html}");
}

// The content of these elements is text: Leptos' comment markers would be shown or executed.
#[tokio::test]
async fn page_text_only_elements_hold_no_markers() {
    let router = router();
    for path in PATHS {
        let html = page(&router, path, "en").await;
        for element in ["title", "textarea", "script", "style", "iframe", "xmp"] {
            for part in html.split(&format!("<{element}")).skip(1) {
                let (content, _) = part.split_once(&format!("</{element}>")).expect("an end");
                assert!(!content.contains("<!"), "{path}: <{element}{content}");
            }
        }
    }
}
