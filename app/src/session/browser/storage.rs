//! Session storage with `gloo-storage`, after a check that the browser allows access.

use gloo_storage::{LocalStorage, SessionStorage, Storage as GlooStorage};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    protocol::json::from_slice,
    session::ports::{PersistedSession, Storage, StorageScope},
};

const ACCESS_TOKEN: &str = "access_token";
const REFRESH_TOKEN: &str = "refresh_token";
const USER: &str = "user";

/// `localStorage` and `sessionStorage`.
pub struct WebStorage;

/// Returns whether a storage can be read. Where the browser forbids it, access throws, which gloo
/// turns into a panic.
fn is_accessible(scope: StorageScope) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let storage = match scope {
        StorageScope::SessionStorage => window.session_storage(),
        StorageScope::LocalStorage => window.local_storage(),
    };
    storage.ok().flatten().is_some_and(|storage| storage.get_item(ACCESS_TOKEN).is_ok())
}

fn load_from<S: GlooStorage>() -> Option<PersistedSession> {
    // Decoded like responses of the API: gloo's `get` would add a second decoder to the first load.
    fn get<S: GlooStorage, T: DeserializeOwned>(key: &str) -> Option<T> {
        from_slice(S::raw().get_item(key).ok()??.as_bytes()).ok()
    }
    Some(PersistedSession {
        access_token: get::<S, _>(ACCESS_TOKEN)?,
        refresh_token: get::<S, _>(REFRESH_TOKEN)?,
        user: get::<S, _>(USER)?,
    })
}

/// Writes the refresh token first. A reader that sees a partial write, during it or after a crash,
/// then finds a newer refresh token beside an older access token of the session, which is harmless.
/// The reverse order would leave a refresh token that has been used.
fn save_to<S: GlooStorage>(persisted: &PersistedSession) -> bool {
    fn set<S: GlooStorage>(key: &str, value: impl Serialize) -> bool {
        S::set(key, value).is_ok()
    }
    let is_stored = set::<S>(REFRESH_TOKEN, &persisted.refresh_token)
        && set::<S>(USER, &persisted.user)
        && set::<S>(ACCESS_TOKEN, &persisted.access_token);
    if !is_stored {
        clear_in::<S>();
    }
    is_stored
}

fn clear_in<S: GlooStorage>() {
    for key in [ACCESS_TOKEN, REFRESH_TOKEN, USER] {
        S::delete(key);
    }
}

impl Storage for WebStorage {
    fn load(&self, scope: StorageScope) -> Option<PersistedSession> {
        is_accessible(scope).then(|| match scope {
            StorageScope::SessionStorage => load_from::<SessionStorage>(),
            StorageScope::LocalStorage => load_from::<LocalStorage>(),
        })?
    }

    fn save(&self, scope: StorageScope, persisted: &PersistedSession) -> bool {
        is_accessible(scope)
            && match scope {
                StorageScope::SessionStorage => save_to::<SessionStorage>(persisted),
                StorageScope::LocalStorage => save_to::<LocalStorage>(persisted),
            }
    }

    fn clear(&self, scope: StorageScope) {
        if is_accessible(scope) {
            match scope {
                StorageScope::SessionStorage => clear_in::<SessionStorage>(),
                StorageScope::LocalStorage => clear_in::<LocalStorage>(),
            }
        }
    }
}
