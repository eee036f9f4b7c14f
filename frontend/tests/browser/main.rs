//! The browser's half of a session, in a real browser: what its rules take for granted of storage,
//! channels, locks and `fetch`. The rules themselves are tested without one, in `app`.

#![cfg(target_arch = "wasm32")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod channel;
mod client;
mod lock;
mod page;
mod storage;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
