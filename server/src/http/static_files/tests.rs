use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, Method, header},
    response::Response,
};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{
    serve::{CACHE_IMMUTABLE, CACHE_ONE_HOUR, CACHE_REVALIDATE},
    *,
};

/// A site with hashed names, as a release build leaves it.
fn site() -> (tempfile::TempDir, Site) {
    site_with_loader("S")
}

fn site_with_loader(hash: &str) -> (tempfile::TempDir, Site) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    fs::create_dir_all(root.join("pkg")).unwrap();
    for (name, text) in [
        ("pkg/gatehouse.J.js", "js"),
        ("pkg/gatehouse.J.js.br", "br"),
        ("pkg/gatehouse.W.wasm", "wasm"),
        ("pkg/gatehouse.css", "css"),
        ("pkg/split_lazy_pages.R.wasm", "lazy_pages"),
        (&format!("pkg/__wasm_split.{hash}.js"), "loader"),
        (
            "pkg/__wasm_split_manifest.M.json",
            r#"{"lazy_pages":["split_lazy_pages.R","gone.X"],"other":["gatehouse.W"]}"#,
        ),
        ("favicon.svg", "<svg/>"),
        ("favicon.svg.gz", "gz"),
    ] {
        fs::write(root.join(name), text).unwrap();
    }
    let hashes = folder.path().join("hash.txt");
    fs::write(&hashes, format!("js: J\nwasm: W\ncss: GONE\nmanifest: M\nsplit: {hash}\n")).unwrap();
    let site = Site::open(&root, Some(&hashes));
    (folder, site)
}

async fn ask(site: &Site, method: Method, path: &str, accept: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT_ENCODING, accept)
        .body(Body::empty())
        .unwrap();
    site.router::<()>().oneshot(request).await.unwrap()
}

#[test]
fn open_prefers_hashed_names_of_existing_files() {
    let (_folder, site) = site();
    assert_eq!(site.assets.js, "/pkg/S/gatehouse.J.js");
    assert_eq!(site.assets.wasm, "/pkg/S/gatehouse.W.wasm");
    assert_eq!(site.assets.css, "/pkg/gatehouse.css", "its hash is of another build");
    assert_eq!(site.assets.lazy_chunks, ["/pkg/S/split_lazy_pages.R.wasm"], "only what is there");
    assert!(site.is_built());
    let nowhere = Site::open(Path::new("/nowhere"), None);
    assert_eq!(nowhere.assets.js, "/pkg/gatehouse.js");
    assert!(!nowhere.is_built());
}

#[tokio::test]
async fn program_with_another_loader_has_other_paths() {
    let [(_one, old), (_other, new)] = ["S", "T"].map(site_with_loader);
    let Assets { js, wasm, lazy_chunks, .. } = &*old.assets;
    for path in [js, wasm, &lazy_chunks[0]] {
        assert_eq!(ask(&old, Method::GET, path, "br").await.status(), 200, "{path}");
        // In a cache, it must not be taken for that of the other build.
        assert_eq!(ask(&new, Method::GET, path, "br").await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn get_without_hash_in_the_name_is_revalidated() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    fs::create_dir_all(root.join("pkg")).unwrap();
    let loader = "pkg/__wasm_split.______________________.js";
    for (name, text) in [
        ("pkg/gatehouse.js", "js"),
        ("pkg/gatehouse.wasm", "wasm"),
        ("pkg/gatehouse.css", "css"),
        ("pkg/split_lazy_pages.wasm", "lazy_pages"),
        (loader, "loader"),
        ("pkg/__wasm_split_manifest.json", r#"{"lazy_pages":["split_lazy_pages"]}"#),
    ] {
        fs::write(root.join(name), text).unwrap();
    }
    // What an earlier build with hashes has left beside the program.
    let hashes = folder.path().join("hash.txt");
    fs::write(&hashes, "js: J\nwasm: W\ncss: C\nmanifest: M\nsplit: S\n").unwrap();
    let site = Site::open(&root, Some(&hashes));
    assert!(site.is_built());
    let Assets { js, wasm, css, lazy_chunks } = &*site.assets;
    assert_eq!([js, wasm, css], ["/pkg/gatehouse.js", "/pkg/gatehouse.wasm", "/pkg/gatehouse.css"]);
    assert_eq!(lazy_chunks, &["/pkg/split_lazy_pages.wasm"]);
    for path in [js, wasm, css, &lazy_chunks[0], &format!("/{loader}")] {
        let answer = ask(&site, Method::GET, path, "identity").await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], CACHE_REVALIDATE, "{path}");
    }
}

#[tokio::test]
async fn files_are_kept_as_long_as_their_names_allow() {
    let (_folder, site) = site();
    for (path, kind, keep) in [
        ("/pkg/S/gatehouse.J.js", "text/javascript", CACHE_IMMUTABLE),
        ("/pkg/S/gatehouse.W.wasm", "application/wasm", CACHE_IMMUTABLE),
        ("/pkg/S/split_lazy_pages.R.wasm", "application/wasm", CACHE_IMMUTABLE),
        ("/pkg/S/__wasm_split.S.js", "text/javascript", CACHE_IMMUTABLE),
        ("/pkg/again/S/gatehouse.J.js", "text/javascript", CACHE_IMMUTABLE),
        ("/pkg/again/S/__wasm_split.S.js", "text/javascript", CACHE_IMMUTABLE),
        ("/pkg/again/S/split_lazy_pages.R.wasm", "application/wasm", CACHE_IMMUTABLE),
        ("/pkg/gatehouse.css", "text/css", CACHE_REVALIDATE),
        // Without the build, the name belongs to several contents.
        ("/pkg/gatehouse.J.js", "text/javascript", CACHE_REVALIDATE),
        ("/favicon.svg", "image/svg+xml", CACHE_ONE_HOUR),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&site, method, path, "identity").await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
            assert_eq!(answer.headers()[header::CACHE_CONTROL], keep, "{path}");
            assert!(answer.headers().contains_key(header::LAST_MODIFIED));
        }
    }
}

#[tokio::test]
async fn compressed_files_go_to_those_who_can_read_them() {
    let (_folder, site) = site();
    for (path, accept, encoding) in [
        ("/pkg/S/gatehouse.J.js", "gzip, br", Some("br")),
        ("/pkg/S/gatehouse.J.js", "gzip", None),
        ("/favicon.svg", "gzip, br", Some("gzip")),
    ] {
        let answer = ask(&site, Method::GET, path, accept).await;
        let sent =
            answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
        assert_eq!(sent, encoding, "{path} {accept}");
        assert_eq!(answer.headers()[header::VARY], "Accept-Encoding");
    }
}

#[tokio::test]
async fn get_missing_or_outside_file_is_404() {
    let (_folder, site) = site();
    for path in [
        "/pkg/x.js",
        "/pkg/again/x.js",
        "/pkg/S/x.js",
        "/pkg/OTHER/gatehouse.J.js",
        "/pkg/S/S/gatehouse.J.js",
        "/pkg/S/../../hash.txt",
        "/pkg/again/../../hash.txt",
        "/pkg/../../hash.txt",
        "/pkg/..%2f..%2fhash.txt",
        "/pkg/%2e%2e/hash.txt",
    ] {
        let answer = ask(&site, Method::GET, path, "br").await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(!answer.headers().contains_key(header::CACHE_CONTROL));
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    }
    assert_eq!(ask(&site, Method::POST, "/pkg/S/gatehouse.J.js", "br").await.status(), 405);
}

#[tokio::test]
async fn asking_for_a_name_that_no_file_can_have_is_404() {
    let (_folder, site) = site();
    let long = "x".repeat(300);
    for path in [
        format!("/pkg/{long}"),
        format!("/pkg/{long}.js"),
        format!("/pkg/{}", "x".repeat(20_000)),
        format!("/pkg/{}x", "x/".repeat(5_000)),
        format!("/pkg/{}", "%C3%A4".repeat(200)),
        "/pkg/%00".to_owned(),
        "/pkg/S/gatehouse.J.js%00".to_owned(),
        "/pkg/%ff".to_owned(),
        "/pkg/%".to_owned(),
        "/pkg/%2F%2Fetc%2Fpasswd".to_owned(),
        "/pkg/S/gatehouse.J.js/x".to_owned(),
        "/pkg/".to_owned(),
        "/pkg/.".to_owned(),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&site, method.clone(), &path, "br").await;
            assert_eq!(answer.status(), 404, "{method} {}", &path[..path.len().min(60)]);
        }
    }
}

#[tokio::test]
async fn asking_for_a_part_gives_it_only_if_the_file_is_still_the_same() {
    let (_folder, site) = site();
    let path = "/pkg/S/__wasm_split.S.js";
    let get = async |method: Method, headers: &[(HeaderName, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let answer =
            site.router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    };
    let (_, headers, _) = get(Method::GET, &[]).await;
    let modified = headers[header::LAST_MODIFIED].to_str().unwrap().to_owned();
    for (range, condition, expected, text) in [
        ("bytes=1-2", None, 206, "oa"),
        ("bytes=1-2", Some(modified.as_str()), 206, "oa"),
        ("bytes=100-", Some(&modified), 416, ""),
        ("bytes=1-2", Some("Thu, 01 Jan 1970 00:00:00 GMT"), 200, "loader"),
        ("bytes=100-", Some("Thu, 01 Jan 1970 00:00:00 GMT"), 200, "loader"),
        ("bytes=1-2", Some("\"an-etag\""), 200, "loader"),
        // What is not supported is ignored.
        ("bytes=0-0,2-3", None, 200, "loader"),
        ("lines=1-2", None, 200, "loader"),
        ("bytes=x", None, 200, "loader"),
        ("bytes=-", None, 200, "loader"),
    ] {
        let condition = condition.map(|condition| (header::IF_RANGE, condition));
        let headers: Vec<_> = [(header::RANGE, range)].into_iter().chain(condition).collect();
        let (status, _, body) = get(Method::GET, &headers).await;
        assert_eq!((status, body.as_str()), (expected, text), "{headers:?}");
        assert_eq!(get(Method::HEAD, &headers).await.0, 200, "a range has no meaning for HEAD");
    }
    let twice = [(header::RANGE, "bytes=0-0"), (header::RANGE, "bytes=1-1")];
    assert_eq!(get(Method::GET, &twice).await.0, 200);
}
