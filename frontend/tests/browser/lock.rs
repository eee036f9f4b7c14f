//! Tests of the lock: Web Locks, and a lease where they are missing. Two callers in one page behave
//! like two tabs.

use std::{cell::RefCell, rc::Rc};

use app::session::{
    browser::lock::TabLock,
    ports::{Lock as _, LockGuard},
};
use futures::{FutureExt as _, join, poll};
use leptos::prelude::window;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use crate::page::{Replaced, local, prototype};

/// The browser without Web Locks, as on plain HTTP.
fn without_locks() -> Replaced {
    Replaced::by(&prototype("Navigator"), "locks", &JsValue::UNDEFINED)
}

async fn acquire(name: &str) -> Box<dyn LockGuard> {
    TabLock.acquire(name.to_owned()).await.expect("a guard")
}

/// The stored record of a lease.
fn record(name: &str) -> Option<String> {
    local().get_item(&format!("refresh {name}")).unwrap()
}

/// The second caller gets the lock after the first has released it; locks of other names are free.
async fn assert_exclusive(name: &str) {
    let ends = Rc::new(RefCell::new(Vec::new()));
    let first = acquire(name).await;
    let second = async {
        let guard = acquire(name).await;
        ends.borrow_mut().push("second");
        assert!(guard.extend());
    };
    let between = async {
        // The second caller would have got the lock by then.
        for other in ["x", "y", "z"] {
            drop(acquire(&format!("{other} of {name}")).await);
        }
        assert!(first.extend());
        ends.borrow_mut().push("first");
        drop(first);
    };
    join!(second, between);
    assert_eq!(*ends.borrow(), ["first", "second"]);
}

/// A cancelled caller does not block the lock.
async fn assert_cancellable(name: &str) {
    let first = acquire(name).await;
    let mut cancelled = TabLock.acquire(name.to_owned());
    assert!(poll!(&mut cancelled).is_pending());
    drop(cancelled);
    drop(first);
    acquire(name).await;
}

#[wasm_bindgen_test]
async fn web_lock_is_exclusive_and_cancellable() {
    assert_exclusive("a").await;
    assert_cancellable("b").await;
    let guard = acquire("c").await;
    assert_eq!(record("c"), None, "no lease is stored");
    assert!(guard.extend());
}

#[wasm_bindgen_test]
async fn lease_without_web_locks_is_exclusive_and_cancellable() {
    let _none = without_locks();
    assert_exclusive("d").await;
    assert_cancellable("e").await;
    let guard = acquire("f").await;
    assert!(record("f").is_some());
    assert!(guard.extend());
}

#[wasm_bindgen_test]
async fn lease_taken_over_by_another_tab_is_neither_extended_nor_released() {
    let _none = without_locks();
    let guard = acquire("g").await;
    let others = format!("7 {}", js_sys::Date::now().round() + 20_000.0);
    local().set_item("refresh g", &others).unwrap();
    assert!(!guard.extend());
    drop(guard);
    // Two later locks have been released, so the release delay has elapsed.
    drop(acquire("h").await);
    let last = acquire("h").await;
    assert_eq!(record("g"), Some(others));
    drop(last);
    local().remove_item("refresh g").unwrap();
}

#[wasm_bindgen_test]
async fn pagehide_event_releases_lease() {
    let _none = without_locks();
    let guard = acquire("i").await;
    assert!(record("i").is_some());
    window().dispatch_event(&Event::new("pagehide").unwrap()).unwrap();
    assert_eq!(record("i"), None);
    // The page may be restored from the back/forward cache, after another tab held the lock.
    assert!(!guard.extend());
    drop(guard);
    drop(acquire("i").await);
}

#[wasm_bindgen_test]
async fn acquire_without_web_locks_and_storage_succeeds_at_once() {
    let _none = without_locks();
    let _forbidden = Replaced::by_throwing(&window(), "localStorage");
    let (first, second) = (acquire("j").await, acquire("j").await);
    assert!(first.extend() && second.extend());
    // At once: there is no write that would have to settle.
    assert!(TabLock.acquire("j".to_owned()).now_or_never().is_some());
}
