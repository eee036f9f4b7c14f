//! Starts the app in the browser.
//!
//! The page's own script (`app/src/document/wake.js`) drives it: [`start`] fetches what the page
//! needs and calls back once it can be taken over; the script then calls [`hydrate`], or [`mount`]
//! where the page is no longer as the server has rendered it.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use app::{
    App, AppProps, dom,
    pages::rooms::{self, Enter},
};
use js_sys::Function;
use leptos::{IntoView, prelude::set_timeout, web_sys::HtmlElement};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;

thread_local! {
    static ROOMS: Cell<Option<Enter>> = const { Cell::new(None) };
    static IS_BROKEN: Cell<bool> = const { Cell::new(false) };
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Fetches the code of the page at hand and calls `begin` once it is there. `on_panic` is called
/// where this instance of the program ends by a panic: nothing of it can be used from then on.
#[wasm_bindgen]
pub fn start(begin: Function, on_panic: Function) {
    ON_PANIC.set(Some(on_panic));
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        IS_BROKEN.set(true);
        ON_PANIC.with_borrow(|on_panic| {
            if let Some(on_panic) = on_panic {
                call(on_panic);
            }
        });
    }));
    if !dom::page().is_room() {
        call(&begin);
        return;
    }
    // What the server has rendered of a page behind the gate can be hydrated with its code only.
    spawn_local(async move {
        match rooms::fetch().await {
            Some(rooms) => {
                ROOMS.set(Some(rooms));
                call(&begin);
            }
            None if dom::leave_for_new_build(&dom::address(), false).await => {}
            None => dom::mark_broken(),
        }
    });
}

/// Takes over the page that the server has rendered.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app);
    wake();
}

/// Renders the page anew, into an element that the script then empties into the document.
#[wasm_bindgen]
pub fn mount(stage: HtmlElement) {
    leptos::mount::mount_to(stage, app).forget();
    wake();
}

fn app() -> impl IntoView {
    App(AppProps { rooms: ROOMS.get() })
}

/// Lets go what has been held back, once all effects have run: and not with the next frame, since a
/// page in the background has none.
fn wake() {
    let go = || {
        if !IS_BROKEN.get() {
            dom::wake();
        }
    };
    set_timeout(go, Duration::ZERO);
}

fn call(function: &Function) {
    // The page's script deals with its own errors.
    let _ = function.call0(&JsValue::NULL);
}
