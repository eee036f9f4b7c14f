//! One tab at a time: by the browser's locks, and by a lease where it has none. Two who take a lock
//! in one page are to each other what two tabs are.

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

/// The browser without its locks, as on pages that came over plain HTTP.
fn without_locks() -> Replaced {
    Replaced::by(&prototype("Navigator"), "locks", &JsValue::UNDEFINED)
}

async fn take(name: &str) -> Box<dyn Turn> {
    TabLock.take(name.to_owned()).await.expect("a turn")
}

/// What is written down of a lease.
fn note(name: &str) -> Option<String> {
    local().get_item(&format!("refresh {name}")).unwrap()
}

/// Who comes second has the turn when the first one's has ended, and those of another name need not
/// wait.
async fn one_at_a_time(name: &str) {
    let ends = Rc::new(RefCell::new(Vec::new()));
    let first = take(name).await;
    let second = async {
        let turn = take(name).await;
        ends.borrow_mut().push("second");
        assert!(turn.keep());
    };
    let between = async {
        // By then the second one would have had its turn.
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

/// Who has given up waiting keeps nobody away.
async fn who_gives_up_is_passed_over(name: &str) {
    let first = take(name).await;
    let mut gives_up = TabLock.take(name.to_owned());
    assert!(poll!(&mut gives_up).is_pending());
    drop(gives_up);
    drop(first);
    take(name).await;
}

#[wasm_bindgen_test]
async fn with_the_browser_s_locks() {
    one_at_a_time("a").await;
    who_gives_up_is_passed_over("b").await;
    let turn = take("c").await;
    assert_eq!(note("c"), None, "the browser keeps it");
    assert!(turn.keep());
}

#[wasm_bindgen_test]
async fn with_leases_where_there_are_none() {
    let _none = without_locks();
    one_at_a_time("d").await;
    who_gives_up_is_passed_over("e").await;
    let turn = take("f").await;
    assert!(note("f").is_some());
    assert!(turn.keep());
}

#[wasm_bindgen_test]
async fn a_lease_that_another_tab_has_taken_over_is_known_to_be_lost_and_left_to_it() {
    let _none = without_locks();
    let turn = take("g").await;
    let others = format!("7 {}", js_sys::Date::now().round() + 20_000.0);
    local().set_item("refresh g", &others).unwrap();
    assert!(!turn.keep());
    drop(turn);
    // Whatever ends later than it has had its end before.
    drop(take("h").await);
    let last = take("h").await;
    assert_eq!(note("g"), Some(others));
    drop(last);
    local().remove_item("refresh g").unwrap();
}

#[wasm_bindgen_test]
async fn a_page_that_goes_away_gives_its_lease_back() {
    let _none = without_locks();
    let turn = take("i").await;
    assert!(note("i").is_some());
    window().dispatch_event(&Event::new("pagehide").unwrap()).unwrap();
    assert_eq!(note("i"), None);
    // Its page may come back out of the browser's cache, and does not know who has had the lock
    // meanwhile.
    assert!(!turn.keep());
    drop(turn);
    drop(take("i").await);
}

#[wasm_bindgen_test]
async fn where_neither_is_allowed_nobody_waits() {
    let _none = without_locks();
    let _forbidden = Replaced::by_throwing(&window(), "localStorage");
    let (first, second) = (take("j").await, take("j").await);
    assert!(first.keep() && second.keep());
    // At once: nothing is written that would have to settle.
    assert!(TabLock.take("j".to_owned()).now_or_never().is_some());
}
