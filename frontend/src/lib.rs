//! Hydration entry point.
//!
//! Driven by `app/src/document/start.js`: [`start`] loads the chunk that the page needs and calls
//! back when the page can be hydrated; the script then calls [`hydrate`], or [`mount`] if the DOM
//! is no longer as the server rendered it.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use app::{
    App, AppProps, dom,
    pages::lazy_pages::{self, PageRenderer},
    routes::Page,
};
use js_sys::Function;
use leptos::{IntoView, prelude::set_timeout, web_sys::HtmlElement};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;

include!(concat!(env!("OUT_DIR"), "/build_id.rs"));

thread_local! {
    static LAZY_PAGES: Cell<Option<PageRenderer>> = const { Cell::new(None) };
    static HAS_PANICKED: Cell<bool> = const { Cell::new(false) };
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Loads the chunk of the current page, then calls `begin`. `on_panic` is called if this instance
/// panics: it must not be used any more.
#[wasm_bindgen]
pub fn start(begin: Function, on_panic: Function) {
    ON_PANIC.set(Some(on_panic));
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        HAS_PANICKED.set(true);
        ON_PANIC.with_borrow(|on_panic| {
            if let Some(on_panic) = on_panic {
                call(on_panic);
            }
        });
    }));
    if !Page::current().is_lazy() {
        call(&begin);
        return;
    }
    // Server-rendered lazy pages can only be hydrated with their chunk.
    spawn_local(async move {
        match lazy_pages::load_chunk().await {
            Some(renderer) => {
                LAZY_PAGES.set(Some(renderer));
                call(&begin);
            }
            None if dom::leave_for_new_build(&dom::address(), false).await => {}
            None => dom::mark_broken(),
        }
    });
}

/// Hydrates the server-rendered page.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app);
    replay_deferred();
}

/// Renders the page into an element, whose children the script moves into the document.
#[wasm_bindgen]
pub fn mount(container: HtmlElement) {
    leptos::mount::mount_to(container, app).forget();
    replay_deferred();
}

fn app() -> impl IntoView {
    App(AppProps { lazy_pages: LAZY_PAGES.get() })
}

/// Replays deferred form submissions and clicks, after all effects have run. A timeout, since pages
/// in the background have no animation frames.
fn replay_deferred() {
    let replay = || {
        if !HAS_PANICKED.get() {
            dom::replay_deferred();
        }
    };
    set_timeout(replay, Duration::ZERO);
}

fn call(function: &Function) {
    // The calling script handles its own errors.
    let _ = function.call0(&JsValue::NULL);
}
