//! Tests of session storage: working, full, forbidden and with invalid values.

use app::session::{
    browser::storage::WebStorage,
    ports::{Storage as _, StorageScope},
};
use js_sys::Function;
use leptos::prelude::window;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{Replaced, local, persisted, prototype};

const SCOPES: [StorageScope; 2] = [StorageScope::SessionStorage, StorageScope::LocalStorage];

fn raw(scope: StorageScope) -> web_sys::Storage {
    match scope {
        StorageScope::SessionStorage => window().session_storage().unwrap().unwrap(),
        StorageScope::LocalStorage => local(),
    }
}

/// The stored values of a session.
fn values(scope: StorageScope) -> Vec<String> {
    ["access_token", "refresh_token", "user"]
        .iter()
        .filter_map(|key| raw(scope).get_item(key).unwrap())
        .collect()
}

#[wasm_bindgen_test]
fn load_after_save_returns_session_from_same_storage_only() {
    for (scope, other) in [
        (StorageScope::SessionStorage, StorageScope::LocalStorage),
        (StorageScope::LocalStorage, StorageScope::SessionStorage),
    ] {
        let session = persisted("s", 1);
        assert!(WebStorage.save(scope, &session));
        assert!(WebStorage.load(scope) == Some(session.clone()));
        assert!(WebStorage.load(other).is_none());
        // JSON under documented keys: other front ends read them too.
        let user = serde_json::to_string(&session.user).unwrap();
        assert_eq!(
            values(scope),
            [
                format!("\"{}\"", session.access_token),
                format!("\"{}\"", session.refresh_token),
                user
            ]
        );
        WebStorage.clear(scope);
        assert!(WebStorage.load(scope).is_none());
        assert!(values(scope).is_empty());
    }
}

#[wasm_bindgen_test]
fn load_of_invalid_values_returns_none() {
    for scope in SCOPES {
        for (key, value) in
            [("access_token", "{{{"), ("refresh_token", "42"), ("user", "\"ada\""), ("user", "")]
        {
            assert!(WebStorage.save(scope, &persisted("s", 1)));
            raw(scope).set_item(key, value).unwrap();
            assert!(WebStorage.load(scope).is_none(), "{key} {value}");
            raw(scope).remove_item(key).unwrap();
            assert!(WebStorage.load(scope).is_none(), "no {key}");
        }
        WebStorage.clear(scope);
    }
}

#[wasm_bindgen_test]
fn save_to_full_storage_stores_nothing() {
    // The access token is written last.
    let full = Function::new_with_args(
        "key, value",
        "if (key === 'access_token') throw new DOMException('full', 'QuotaExceededError'); this[key] = value;",
    );
    for scope in SCOPES {
        assert!(WebStorage.save(scope, &persisted("s", 1)));
        {
            let _full = Replaced::by(&prototype("Storage"), "setItem", &full);
            assert!(!WebStorage.save(scope, &persisted("s", 2)));
        }
        assert!(WebStorage.load(scope).is_none());
        assert!(values(scope).is_empty());
    }
}

#[wasm_bindgen_test]
fn forbidden_storage_stores_nothing_and_does_not_panic() {
    for (scope, name) in [
        (StorageScope::SessionStorage, "sessionStorage"),
        (StorageScope::LocalStorage, "localStorage"),
    ] {
        let _forbidden = Replaced::by_throwing(&window(), name);
        assert!(WebStorage.load(scope).is_none());
        assert!(!WebStorage.save(scope, &persisted("s", 1)));
        WebStorage.clear(scope);
    }
}
