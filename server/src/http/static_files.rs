//! Static files: the WASM client and its style sheet under `/pkg`, icons and the web app manifest.

mod serve;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::page_settings::Assets;
use axum::{Router, routing::get};
use tower_http::services::ServeDir;

pub(super) use self::serve::{CACHE_IMMUTABLE, CACHE_ONE_HOUR, file_not_found};
use self::serve::{LOADER, PKG, PKG_ALIAS, Serving, serve, serve_alias};

/// Name of the client's files: cargo-leptos' `output-name`.
const NAME: &str = "gatehouse";
/// Name of the list of chunks.
const MANIFEST: &str = "__wasm_split_manifest";

/// The output folder of the client's build.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
    /// Folder of the program's paths: `/pkg/`, or a folder of this build below it, which exists in
    /// URLs only. cargo-leptos names the glue and the program before it writes the name of the
    /// loader into them, which differs even between builds of the same sources: only with that name
    /// in the path does a path belong to one content.
    folder: String,
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
        let file_of = |name: &str, key: &str, extension: &str| {
            let hashed = hash_of(key).map(|hash| format!("{name}.{hash}.{extension}"));
            hashed
                .filter(|file| root.join("pkg").join(file).is_file())
                .unwrap_or_else(|| format!("{name}.{extension}"))
        };
        let folder = hash_of("split")
            .filter(|hash| root.join(format!("pkg/{LOADER}{hash}.js")).is_file())
            .map_or_else(|| PKG.to_owned(), |hash| format!("{PKG}{hash}/"));
        let path_of = |kind: &str| format!("{folder}{}", file_of(NAME, kind, kind));
        let chunks = chunk_files(root, &file_of(MANIFEST, "manifest", "json"), "lazy_pages");
        let assets = Assets {
            js: path_of("js"),
            wasm: path_of("wasm"),
            css: format!("{PKG}{}", file_of(NAME, "css", "css")),
            lazy_chunks: chunks.into_iter().map(|file| format!("{folder}{file}")).collect(),
        };
        Self { root: root.to_owned(), folder, assets: Arc::new(assets) }
    }

    /// Returns the hash file of the running executable.
    #[must_use]
    pub fn hash_file() -> Option<PathBuf> {
        Some(std::env::current_exe().ok()?.with_file_name("hash.txt"))
    }

    /// Returns whether the client was built.
    #[must_use]
    pub fn is_built(&self) -> bool {
        let wasm = self.assets.wasm.rsplit('/').next().unwrap_or_default();
        self.root.join("pkg").join(wasm).is_file()
    }

    /// Serves the files: precompressed if the build compressed them, with a cache lifetime that
    /// depends on the name.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // No directory listing, and no index file.
        let files = ServeDir::new(&self.root)
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip();
        let folder = self.folder.clone();
        let serving = Serving { files, folder, assets: Arc::clone(&self.assets) };
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

/// Returns the files of a lazily loaded chunk: `manifest` names them without their extension.
fn chunk_files(root: &Path, manifest: &str, part: &str) -> Vec<String> {
    let pkg = root.join("pkg");
    let manifest = fs::read(pkg.join(manifest)).unwrap_or_default();
    let mut parts: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&manifest).unwrap_or_default();
    let files =
        parts.remove(part).unwrap_or_default().into_iter().map(|name| format!("{name}.wasm"));
    files.filter(|file| pkg.join(file).is_file()).collect()
}

#[cfg(test)]
mod tests;
