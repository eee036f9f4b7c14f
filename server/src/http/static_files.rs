//! Static files: the WASM client and its style sheet under `/pkg`, icons and the web app manifest.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use app::document::Assets;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::services::ServeDir;

/// Name of the client's files: cargo-leptos' `output-name`.
const NAME: &str = "gatehouse";
/// Names of the files of code splitting: the list of chunks, and their loader.
const MANIFEST: &str = "__wasm_split_manifest";
const LOADER: &str = "__wasm_split.";
/// Placeholder of the hash in the loader's name, in a build without hashes.
const NO_HASH: &str = ".______________________.";
/// Alias of `/pkg/`.
const PKG_ALIAS: &str = "/pkg/again/";
/// For names with a hash of the content.
const CACHE_IMMUTABLE: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// Cached, but revalidated each time.
const CACHE_REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// For icons.
const CACHE_ONE_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The output folder of the client's build.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
    /// Paths of the client and its style sheet, for pages.
    pub assets: Arc<Assets>,
}

impl Site {
    /// Opens a folder. `hash_file` is written by cargo-leptos beside the server's executable: lines
    /// such as `js: HASH`, one per kind of file. A hash without a file is ignored.
    #[must_use]
    pub fn open(root: &Path, hash_file: Option<&Path>) -> Self {
        let hash_lines =
            hash_file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let hash_of = |kind: &str| {
            let line = hash_lines
                .lines()
                .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == kind));
            line.map(|(_, hash)| hash.trim())
        };
        let path_of = |kind: &str| {
            let hashed = hash_of(kind).map(|hash| format!("pkg/{NAME}.{hash}.{kind}"));
            let file = hashed
                .filter(|file| root.join(file).is_file())
                .unwrap_or_else(|| format!("pkg/{NAME}.{kind}"));
            format!("/{file}")
        };
        let hashed = hash_of("manifest").map(|hash| format!("pkg/{MANIFEST}.{hash}.json"));
        let manifest = hashed
            .filter(|file| root.join(file).is_file())
            .unwrap_or_else(|| format!("pkg/{MANIFEST}.json"));
        let lazy_chunks = chunk_files(root, &manifest, "lazy_pages");
        let assets =
            Assets { js: path_of("js"), wasm: path_of("wasm"), css: path_of("css"), lazy_chunks };
        Self { root: root.to_owned(), assets: Arc::new(assets) }
    }

    /// Returns the hash file of the running executable.
    #[must_use]
    pub fn hash_file() -> Option<PathBuf> {
        Some(std::env::current_exe().ok()?.with_file_name("hash.txt"))
    }

    /// Returns whether the client was built.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.root.join(self.assets.wasm.trim_start_matches('/')).is_file()
    }

    /// Serves the files: precompressed if the build compressed them, with a cache lifetime that
    /// depends on the name.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // No directory listing, and no index file.
        let files = ServeDir::new(&self.root)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip();
        let serving = Serving { files, assets: Arc::clone(&self.assets) };
        let mut router = Router::new()
            .route("/pkg/{*file}", get(serve))
            .route(&format!("{PKG_ALIAS}{{*file}}"), get(serve_alias));
        // All other paths are pages, so the few files outside `/pkg` get a route each.
        for name in self.loose_files() {
            router = router.route(&format!("/{name}"), get(serve));
        }
        router.with_state(serving)
    }

    fn loose_files(&self) -> impl Iterator<Item = String> + use<> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| {
                let is_plain =
                    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
                let is_copy = [".br", ".gz"].iter().any(|ending| name.ends_with(ending));
                is_plain && !is_copy && !name.starts_with('.')
            })
    }
}

/// Returns the files of a lazily loaded chunk: the manifest names them without their extension.
fn chunk_files(root: &Path, manifest: &str, part: &str) -> Vec<String> {
    let manifest = fs::read(root.join(manifest)).unwrap_or_default();
    let mut parts: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&manifest).unwrap_or_default();
    let files =
        parts.remove(part).unwrap_or_default().into_iter().map(|name| format!("pkg/{name}.wasm"));
    files.filter(|file| root.join(file).is_file()).map(|file| format!("/{file}")).collect()
}

#[derive(Clone)]
struct Serving {
    files: ServeDir,
    assets: Arc<Assets>,
}

/// Serves the same files under another path, from which a page creates a second instance of the
/// client: browsers create one per URL (`app/src/document/start.js`).
async fn serve_alias(state: State<Serving>, mut request: Request) -> Response {
    let file = request.uri().path().strip_prefix(PKG_ALIAS).map(|file| format!("/pkg/{file}"));
    match file.and_then(|file| Uri::try_from(file).ok()) {
        Some(uri) => *request.uri_mut() = uri,
        None => return StatusCode::NOT_FOUND.into_response(),
    }
    serve(state, request).await
}

async fn serve(State(mut serving): State<Serving>, mut request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if !takes_range(&request) {
        request.headers_mut().remove(header::RANGE);
    }
    // RFC 9110 §13.1.5: a part is useful only to a client with the rest of the same version.
    if let Some(validator) = request.headers_mut().remove(header::IF_RANGE)
        && request.headers().contains_key(header::RANGE)
    {
        let mut whole = Request::new(Body::empty());
        *whole.method_mut() = Method::HEAD;
        whole.uri_mut().clone_from(request.uri());
        whole.headers_mut().clone_from(request.headers());
        whole.headers_mut().remove(header::RANGE);
        let current = serving.files.try_call(whole).await;
        if current
            .ok()
            .is_none_or(|current| current.headers().get(header::LAST_MODIFIED) != Some(&validator))
        {
            request.headers_mut().remove(header::RANGE);
        }
    }
    let response = match serving.files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => return failed(&error),
    };
    let mut response = response;
    if response.status() == StatusCode::NOT_FOUND {
        response = not_found();
    } else if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        let keep = cache_control(&path, &serving.assets);
        response.headers_mut().insert(header::CACHE_CONTROL, keep);
        // Intermediate caches store the compressed and the plain file separately.
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// Returns whether a request has a supported range. Otherwise the range is ignored (RFC 9110 §14.2).
fn takes_range(request: &Request) -> bool {
    let mut ranges = request.headers().get_all(header::RANGE).iter();
    let (range, second) = (ranges.next().and_then(|range| range.to_str().ok()), ranges.next());
    let range = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    request.method() == Method::GET
        && second.is_none()
        && range.is_some_and(|(first, last)| {
            is_number(first) && is_number(last) && !(first.is_empty() && last.is_empty())
        })
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is no such file.\n").into_response()
}

/// Response if a file cannot be opened.
fn failed(error: &io::Error) -> Response {
    // Names that no file can have: too long, with a NUL byte, or through a symlink loop.
    let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    if is_loop || matches!(error.kind(), ErrorKind::InvalidFilename | ErrorKind::InvalidInput) {
        return not_found();
    }
    tracing::error!(%error, "a file of the site cannot be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read.\n").into_response()
}

fn cache_control(path: &str, assets: &Assets) -> HeaderValue {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_program = [&assets.js, &assets.wasm, &assets.css]
        .into_iter()
        .chain(&assets.lazy_chunks)
        .any(|asset| asset == path)
        || name.starts_with(LOADER);
    let is_hashed = name.split('.').count() > 2 && !name.contains(NO_HASH);
    match (is_program, is_hashed) {
        (true, true) => CACHE_IMMUTABLE,
        _ if path.starts_with("/pkg/") => CACHE_REVALIDATE,
        _ => CACHE_ONE_HOUR,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    /// A site with hashed names, as a release build leaves it.
    fn site() -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        fs::create_dir_all(root.join("pkg")).unwrap();
        for (name, text) in [
            ("pkg/gatehouse.J.js", "js"),
            ("pkg/gatehouse.J.js.br", "br"),
            ("pkg/gatehouse.W.wasm", "wasm"),
            ("pkg/gatehouse.css", "css"),
            ("pkg/split_lazy_pages.R.wasm", "lazy_pages"),
            ("pkg/__wasm_split.S.js", "loader"),
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
        fs::write(&hashes, "js: J\nwasm: W\ncss: GONE\nmanifest: M\nsplit: S\n").unwrap();
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
    fn names_carry_hashes_where_there_are_such_files() {
        let (_folder, site) = site();
        assert_eq!(site.assets.js, "/pkg/gatehouse.J.js");
        assert_eq!(site.assets.wasm, "/pkg/gatehouse.W.wasm");
        assert_eq!(site.assets.css, "/pkg/gatehouse.css", "its hash is of another build");
        assert_eq!(site.assets.lazy_chunks, ["/pkg/split_lazy_pages.R.wasm"], "only what is there");
        assert!(site.is_built());
        let nowhere = Site::open(Path::new("/nowhere"), None);
        assert_eq!(nowhere.assets.js, "/pkg/gatehouse.js");
        assert!(!nowhere.is_built());
    }

    #[tokio::test]
    async fn names_without_hashes_are_found_and_asked_for_again() {
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
        assert_eq!(
            [js, wasm, css],
            ["/pkg/gatehouse.js", "/pkg/gatehouse.wasm", "/pkg/gatehouse.css"]
        );
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
            ("/pkg/gatehouse.J.js", "text/javascript", CACHE_IMMUTABLE),
            ("/pkg/gatehouse.W.wasm", "application/wasm", CACHE_IMMUTABLE),
            ("/pkg/split_lazy_pages.R.wasm", "application/wasm", CACHE_IMMUTABLE),
            ("/pkg/__wasm_split.S.js", "text/javascript", CACHE_IMMUTABLE),
            ("/pkg/again/gatehouse.J.js", "text/javascript", CACHE_IMMUTABLE),
            ("/pkg/again/__wasm_split.S.js", "text/javascript", CACHE_IMMUTABLE),
            ("/pkg/again/split_lazy_pages.R.wasm", "application/wasm", CACHE_IMMUTABLE),
            ("/pkg/gatehouse.css", "text/css", CACHE_REVALIDATE),
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
            ("/pkg/gatehouse.J.js", "gzip, br", Some("br")),
            ("/pkg/gatehouse.J.js", "gzip", None),
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
    async fn what_is_not_there_is_404_and_nothing_outside_is_there() {
        let (_folder, site) = site();
        for path in [
            "/pkg/x.js",
            "/pkg/again/x.js",
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
        assert_eq!(ask(&site, Method::POST, "/pkg/gatehouse.J.js", "br").await.status(), 405);
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
            "/pkg/gatehouse.J.js%00".to_owned(),
            "/pkg/%ff".to_owned(),
            "/pkg/%".to_owned(),
            "/pkg/%2F%2Fetc%2Fpasswd".to_owned(),
            "/pkg/gatehouse.J.js/x".to_owned(),
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
        let path = "/pkg/__wasm_split.S.js";
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
}
