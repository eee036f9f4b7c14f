//! `WebStorage` with available, full and forbidden storage.

use app::session::{
    ports::{Place, Storage as _},
    storage::WebStorage,
};
use js_sys::Function;
use leptos::prelude::window;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Replaced, local, prototype, saved};

const PLACES: [Place; 2] = [Place::Tab, Place::Browser];

fn raw(place: Place) -> web_sys::Storage {
    match place {
        Place::Tab => window().session_storage().unwrap().unwrap(),
        Place::Browser => local(),
    }
}

/// Returns the stored entries of a session.
fn values(place: Place) -> Vec<String> {
    ["access_token", "refresh_token", "user"]
        .iter()
        .filter_map(|key| raw(place).get_item(key).unwrap())
        .collect()
}

#[wasm_bindgen_test]
fn save_then_load_returns_the_session_from_its_scope_only() {
    for (place, other) in [(Place::Tab, Place::Browser), (Place::Browser, Place::Tab)] {
        let kept = saved("s", 1);
        assert!(WebStorage.save(place, &kept));
        assert!(WebStorage.load(place) == Some(kept.clone()));
        assert!(WebStorage.load(other).is_none());
        // JSON in documented entries: other front ends read it, too.
        let user = serde_json::to_string(&kept.user).unwrap();
        assert_eq!(
            values(place),
            [format!("\"{}\"", kept.access), format!("\"{}\"", kept.refresh), user]
        );
        WebStorage.clear(place);
        assert!(WebStorage.load(place).is_none());
        assert!(values(place).is_empty());
    }
}

#[wasm_bindgen_test]
fn load_with_invalid_entry_returns_none() {
    for place in PLACES {
        for (key, value) in
            [("access_token", "{{{"), ("refresh_token", "42"), ("user", "\"ada\""), ("user", "")]
        {
            assert!(WebStorage.save(place, &saved("s", 1)));
            raw(place).set_item(key, value).unwrap();
            assert!(WebStorage.load(place).is_none(), "{key} {value}");
            raw(place).remove_item(key).unwrap();
            assert!(WebStorage.load(place).is_none(), "no {key}");
        }
        WebStorage.clear(place);
    }
}

#[wasm_bindgen_test]
fn save_with_full_storage_keeps_nothing() {
    // The access token is written last.
    let full = Function::new_with_args(
        "key, value",
        "if (key === 'access_token') throw new DOMException('full', 'QuotaExceededError'); this[key] = value;",
    );
    for place in PLACES {
        assert!(WebStorage.save(place, &saved("s", 1)));
        {
            let _full = Replaced::by(&prototype("Storage"), "setItem", &full);
            assert!(!WebStorage.save(place, &saved("s", 2)));
        }
        assert!(WebStorage.load(place).is_none());
        assert!(values(place).is_empty());
    }
}

#[wasm_bindgen_test]
fn save_with_forbidden_storage_fails_without_effect() {
    for (place, name) in [(Place::Tab, "sessionStorage"), (Place::Browser, "localStorage")] {
        let _forbidden = Replaced::by_throwing(&window(), name);
        assert!(WebStorage.load(place).is_none());
        assert!(!WebStorage.save(place, &saved("s", 1)));
        WebStorage.clear(place);
    }
}
