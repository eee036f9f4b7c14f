//! `TabLock` over the Web Locks API, and over a lease in `localStorage` without it. Two holders in
//! one page behave as those of two tabs.

use std::{cell::RefCell, rc::Rc};

use app::session::{
    lock::TabLock,
    ports::{Lock as _, Turn},
};
use futures::{FutureExt as _, join, poll};
use leptos::prelude::window;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use crate::page::{Replaced, local, prototype};

/// Removes the Web Locks API, as in an insecure context (plain HTTP).
fn without_locks() -> Replaced {
    Replaced::by(&prototype("Navigator"), "locks", &JsValue::UNDEFINED)
}

async fn take(name: &str) -> Box<dyn Turn> {
    TabLock.take(name.to_owned()).await.expect("a turn")
}

/// Returns the stored lease.
fn lease(name: &str) -> Option<String> {
    local().get_item(&format!("refresh {name}")).unwrap()
}

/// The second holder waits for the first one; locks of other names do not wait.
async fn second_holder_waits(name: &str) {
    let ends = Rc::new(RefCell::new(Vec::new()));
    let first = take(name).await;
    let second = async {
        let turn = take(name).await;
        ends.borrow_mut().push("second");
        assert!(turn.keep());
    };
    let between = async {
        // Without mutual exclusion the second holder would have run by now.
        for other in ["x", "y", "z"] {
            drop(take(&format!("{other} of {name}")).await);
        }
        assert!(first.keep());
        ends.borrow_mut().push("first");
        drop(first);
    };
    join!(second, between);
    assert_eq!(*ends.borrow(), ["first", "second"]);
}

/// A cancelled request does not block later ones.
async fn cancelled_request_does_not_block(name: &str) {
    let first = take(name).await;
    let mut gives_up = TabLock.take(name.to_owned());
    assert!(poll!(&mut gives_up).is_pending());
    drop(gives_up);
    drop(first);
    take(name).await;
}

#[wasm_bindgen_test]
async fn take_with_web_locks_is_exclusive() {
    second_holder_waits("a").await;
    cancelled_request_does_not_block("b").await;
    let turn = take("c").await;
    assert_eq!(lease("c"), None, "the browser keeps it");
    assert!(turn.keep());
}

#[wasm_bindgen_test]
async fn take_without_web_locks_uses_a_lease() {
    let _none = without_locks();
    second_holder_waits("d").await;
    cancelled_request_does_not_block("e").await;
    let turn = take("f").await;
    assert!(lease("f").is_some());
    assert!(turn.keep());
}

#[wasm_bindgen_test]
async fn keep_after_takeover_by_another_tab_fails_and_leaves_its_lease() {
    let _none = without_locks();
    let turn = take("g").await;
    let others = format!("7 {}", js_sys::Date::now().round() + 20_000.0);
    local().set_item("refresh g", &others).unwrap();
    assert!(!turn.keep());
    drop(turn);
    // Release is asynchronous: a later lock with another name ends after it.
    drop(take("h").await);
    let last = take("h").await;
    assert_eq!(lease("g"), Some(others));
    drop(last);
    local().remove_item("refresh g").unwrap();
}

#[wasm_bindgen_test]
async fn pagehide_with_lease_releases_it() {
    let _none = without_locks();
    let turn = take("i").await;
    assert!(lease("i").is_some());
    window().dispatch_event(&Event::new("pagehide").unwrap()).unwrap();
    assert_eq!(lease("i"), None);
    // The page may be restored from the back/forward cache, and another tab may have held the lock
    // meanwhile.
    assert!(!turn.keep());
    drop(turn);
    drop(take("i").await);
}

#[wasm_bindgen_test]
async fn take_without_locks_and_storage_succeeds_at_once() {
    let _none = without_locks();
    let _forbidden = Replaced::by_throwing(&window(), "localStorage");
    let (first, second) = (take("j").await, take("j").await);
    assert!(first.keep() && second.keep());
    // At once: nothing is written, so there is no write to settle.
    assert!(TabLock.take("j".to_owned()).now_or_never().is_some());
}
