//! The session's storage: `gloo-storage`, behind a look whether the browser lets us near it.

use gloo_storage::{LocalStorage, SessionStorage, Storage as GlooStorage};
use serde::Serialize;

use super::ports::{Place, Saved, Storage};

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const USER: &str = "user";

/// `localStorage` and `sessionStorage`.
pub struct WebStorage;

/// Whether a place can be read at all. Where the browser forbids it, the mere look at it throws,
/// and gloo would end the program.
fn is_open(place: Place) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let storage = match place {
        Place::Tab => window.session_storage(),
        Place::Browser => window.local_storage(),
    };
    storage.ok().flatten().is_some_and(|storage| storage.get_item(ACCESS).is_ok())
}

fn load_from<S: GlooStorage>() -> Option<Saved> {
    // Read as answers are read, from bytes: gloo's own way would bring the code for it a second
    // time.
    let user = S::raw().get_item(USER).ok()??;
    Some(Saved {
        access: S::get(ACCESS).ok()?,
        refresh: S::get(REFRESH).ok()?,
        user: serde_json::from_slice(user.as_bytes()).ok()?,
    })
}

/// Writes the refresh token first: whoever reads before the rest is there, or finds what a crash
/// has left, sees a newer one beside an older access token of the session, which does no harm. The
/// reverse would be a token that was used already.
fn save_to<S: GlooStorage>(saved: &Saved) -> bool {
    fn set<S: GlooStorage>(key: &str, value: impl Serialize) -> bool {
        S::set(key, value).is_ok()
    }
    let is_kept = set::<S>(REFRESH, &saved.refresh)
        && set::<S>(USER, &saved.user)
        && set::<S>(ACCESS, &saved.access);
    if !is_kept {
        clear_in::<S>();
    }
    is_kept
}

fn clear_in<S: GlooStorage>() {
    for key in [ACCESS, REFRESH, USER] {
        S::delete(key);
    }
}

impl Storage for WebStorage {
    fn load(&self, place: Place) -> Option<Saved> {
        is_open(place).then(|| match place {
            Place::Tab => load_from::<SessionStorage>(),
            Place::Browser => load_from::<LocalStorage>(),
        })?
    }

    fn save(&self, place: Place, saved: &Saved) -> bool {
        is_open(place)
            && match place {
                Place::Tab => save_to::<SessionStorage>(saved),
                Place::Browser => save_to::<LocalStorage>(saved),
            }
    }

    fn clear(&self, place: Place) {
        if is_open(place) {
            match place {
                Place::Tab => clear_in::<SessionStorage>(),
                Place::Browser => clear_in::<LocalStorage>(),
            }
        }
    }
}
