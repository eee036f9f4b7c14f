//! Browser adapters of the session, in a real browser: storage, channel, lock and `fetch`. The
//! rules over them are tested without a browser, in `app`.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod channel;
mod client;
mod lock;
mod page;
mod storage;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
