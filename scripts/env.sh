# Sourced by the other scripts: versions and paths of the tools, and the target folder.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# The version of a package in Cargo.lock or package-lock.json.
crate_version() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock; }
npm_version() { node -p "require('./package-lock.json').packages['node_modules/$1'].version"; }

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

cargo_leptos_version=0.3.10
wasm_bindgen_version=$(crate_version wasm-bindgen)
# shellcheck disable=SC2034 # these and their folders are for the scripts that source this one
cargo_fuzz_version=0.13.2 cargo_deny_version=0.20.2 schemathesis_version=4.32.5 s3_version=0.14.1

# One folder for each version, so that several clones can share the cache.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/tools
cargo_leptos_root=$tools/cargo-leptos-$cargo_leptos_version
wasm_bindgen_root=$tools/wasm-bindgen-cli-$wasm_bindgen_version
cargo_fuzz_root=$tools/cargo-fuzz-$cargo_fuzz_version
cargo_deny_root=$tools/cargo-deny-$cargo_deny_version
# shellcheck disable=SC2034
schemathesis_root=$tools/schemathesis-$schemathesis_version s3_root=$tools/s3s-fs-$s3_version

# Packages of PostgreSQL for machines without packages of their own; all of them are betas by name.
postgres_npm_version=17.10.0-beta.17
postgres_root=$tools/postgres-$postgres_npm_version
# The folder of PostgreSQL's programs: of the system (also where Debian does not put them on PATH), or
# of the package that scripts/setup has fetched.
postgres_bin() {
  local found
  for found in "$(dirname "$(command -v initdb || true)")" /usr/lib/postgresql/*/bin "$postgres_root/bin"; do
    [ -x "$found/initdb" ] && [ -x "$found/postgres" ] && [ -x "$found/pg_ctl" ] && { printf '%s\n' "$found"; return; }
  done
}
# shellcheck disable=SC2034
postgres_bin=$(postgres_bin || true)

# cargo-leptos uses the tools on PATH: tailwindcss and wasm-opt come from npm, the others from the
# cache.
PATH=$PWD/node_modules/.bin:$wasm_bindgen_root/bin:$cargo_leptos_root/bin:$cargo_fuzz_root/bin:$cargo_deny_root/bin:$PATH
export PATH

# Cargo's target folder.
target=${CARGO_TARGET_DIR:-$PWD/target}
# shellcheck disable=SC2034 # for the scripts that source this one
program=$target/release/gatehouse

# Runs cargo-leptos with the tools on PATH. The variable tells it the major version of Tailwind;
# without it, it would look up the latest one online.
cargo_leptos() { LEPTOS_TAILWIND_VERSION=v$(npm_version tailwindcss) cargo leptos "$@"; }
