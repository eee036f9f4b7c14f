//! Wakes the app up in the browser.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the program has been loaded.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        app::dom::mark_broken();
    }));
    leptos::mount::hydrate_body(app::App);
}
