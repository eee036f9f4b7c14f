//! Makes a build id from the inputs of the WASM build, which the glue and the program export.
//!
//! cargo-leptos 0.3.10 names each file by its content, and then replaces the names of other files in
//! it (leptos-rs/cargo-leptos#658): a change of the lazy chunk alone would leave the
//! names of glue and program, though they now refer to another loader. Browsers that cache these
//! files as immutable would combine files of two builds. With the id each changes with every input.

use std::{
    env, fs,
    hash::{DefaultHasher, Hasher as _},
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// Files and folders below the root of the repository that the WASM build depends on: sources,
/// profiles and flags, versions of crates and of the tools.
const INPUTS: [&str; 8] = [
    "app/src",
    "app/Cargo.toml",
    "frontend/src",
    "frontend/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
    "package-lock.json",
    "scripts/env.sh",
];

/// Variables of cargo that change the code.
const VARIABLES: [&str; 4] =
    ["PROFILE", "OPT_LEVEL", "CARGO_ENCODED_RUSTFLAGS", "CARGO_FEATURE_SPLIT"];

fn main() -> io::Result<()> {
    let root = Path::new("..");
    let mut hasher = DefaultHasher::new();
    for input in INPUTS {
        println!("cargo::rerun-if-changed=../{input}");
        for file in files(&root.join(input))? {
            hasher.write(file.to_string_lossy().as_bytes());
            hasher.write(&fs::read(file)?);
        }
    }
    for variable in VARIABLES {
        hasher.write(env::var(variable).unwrap_or_default().as_bytes());
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    hasher.write(&Command::new(rustc).arg("-vV").output()?.stdout);
    let id = hasher.finish();
    let code = format!(
        "/// Marks the files of one build.\n#[wasm_bindgen::prelude::wasm_bindgen]\npub fn build_{id:016x}() {{}}\n"
    );
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&folder).join("build_id.rs"), code)
}

/// The files at a path, or below it in the order of their names.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        found.extend(files(&entry)?);
    }
    Ok(found)
}
