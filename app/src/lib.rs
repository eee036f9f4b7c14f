//! What a person sees and what the wire carries.
//!
//! Compiles to WASM (feature `hydrate`) and into the server (feature `ssr`); knows no database, no cryptography and no
//! configuration. What it needs of the server it declares in `backend`.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod i18n;
pub mod rules;
pub mod session;
