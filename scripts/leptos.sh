# Sourced before cargo-leptos runs: with the versions named and the tools on PATH it asks the network for nothing.
# shellcheck shell=bash

LEPTOS_TAILWIND_VERSION=v$(npm_version tailwindcss)
LEPTOS_WASM_OPT_VERSION=version_$(npm_version binaryen | cut -d . -f 1)
export LEPTOS_TAILWIND_VERSION LEPTOS_WASM_OPT_VERSION
export LEPTOS_WASM_BINDGEN_VERSION=$wasm_bindgen_version
