# Sourced by the other scripts: where the tools are, which versions, and where cargo puts what it builds.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# The version that Cargo.lock or package-lock.json gives to a package.
crate_version() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock; }
npm_version() { node -p "require('./package-lock.json').packages['node_modules/$1'].version"; }

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

cargo_leptos_version=0.3.10
wasm_bindgen_version=$(crate_version wasm-bindgen)
# shellcheck disable=SC2034 # these and their folders are for the scripts that source this one
cargo_fuzz_version=0.13.2 cargo_deny_version=0.20.2 schemathesis_version=4.32.5 s3_version=0.14.1

# A folder for each version, so that two clones never overwrite each other's tools.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/tools
cargo_leptos_root=$tools/cargo-leptos-$cargo_leptos_version
wasm_bindgen_root=$tools/wasm-bindgen-cli-$wasm_bindgen_version
cargo_fuzz_root=$tools/cargo-fuzz-$cargo_fuzz_version
cargo_deny_root=$tools/cargo-deny-$cargo_deny_version
# shellcheck disable=SC2034
schemathesis_root=$tools/schemathesis-$schemathesis_version s3_root=$tools/s3s-fs-$s3_version

# cargo-leptos takes whatever is on PATH first: tailwindcss and wasm-opt come from npm, the rest from the cache.
# Before wasm-bindgen comes ours, which calls it.
PATH=$PWD/scripts/tools:$PWD/node_modules/.bin:$wasm_bindgen_root/bin:$cargo_leptos_root/bin:$cargo_fuzz_root/bin:$cargo_deny_root/bin:$PATH
export PATH

# Where cargo puts what it builds.
target=${CARGO_TARGET_DIR:-$PWD/target}
# shellcheck disable=SC2034 # for the scripts that source this one
program=$target/release/gatehouse

# cargo-leptos, which takes every tool from PATH. The version tells it that Tailwind is of the fourth kind; without it, it would
# ask the network for the latest.
cargo_leptos() { LEPTOS_TAILWIND_VERSION=v$(npm_version tailwindcss) cargo leptos "$@"; }
