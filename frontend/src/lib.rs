//! Wakes the app up in the browser.

use app::{
    App, AppProps, dom,
    pages::rooms::{self, Enter},
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the page once the program has been loaded.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        dom::mark_broken();
    }));
    if !dom::page().is_room() {
        wake(None);
        return;
    }
    // What the server has rendered of a page behind the gate can be woken up with its code only.
    spawn_local(async {
        match rooms::fetch().await {
            Some(rooms) => wake(Some(rooms)),
            None if dom::leave_for_new_build(&dom::address(), false).await => {}
            None => dom::mark_broken(),
        }
    });
}

fn wake(rooms: Option<Enter>) {
    leptos::mount::hydrate_body(move || App(AppProps { rooms }));
}
