//! The lock of a browser: the one it has (Web Locks), else a lease in storage.

use std::{rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, FutureExt, LocalBoxFuture, select},
};
use js_sys::{Function, Promise};
use leptos::{ev, leptos_dom::helpers::WindowListenerHandle, prelude::*};
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use super::{
    browser::{later, wait},
    lease::{Lease, Slate},
    ports::{Lock, Turn},
};

/// How long a lock is waited for: a little longer than an answer, which who has the lock is waiting
/// for.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long a turn lasts beyond its end: messages and storage are on their way to other processes,
/// and must not come after the lock.
const LINGER: Duration = Duration::from_millis(100);

#[wasm_bindgen]
extern "C" {
    // web-sys has it only behind a flag of the compiler.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"])]
    fn request(name: &str, granted: JsValue) -> Result<Promise, JsValue>;
}

/// The lock of a name.
pub struct TabLock;

impl Lock for TabLock {
    fn take(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn Turn>>> {
        async move {
            match select(take(format!("refresh {name}")).boxed_local(), wait(PATIENCE)).await {
                Either::Left((turn, _)) => Some(turn),
                Either::Right(_) => None,
            }
        }
        .boxed_local()
    }
}

async fn take(name: String) -> Box<dyn Turn> {
    let (granted, turn) = oneshot::channel();
    let mut granted = Some(granted);
    let hold = Closure::once_into_js(move |_lock: JsValue| {
        // The browser keeps the lock until the promise is kept.
        Promise::new(&mut |release, _| {
            if let Some(granted) = granted.take() {
                // Where nobody waits any more the turn comes back, and ends at once.
                let _ = granted.send(Held(release));
            }
        })
    });
    // Absent from pages that came over plain HTTP; refused where storage is.
    if let Ok(request) = request(&name, hold)
        && let Either::Left((Ok(turn), _)) = select(turn, JsFuture::from(request)).await
    {
        return Box::new(turn);
    }
    Box::new(Leased::new(Lease::take(Rc::new(Note(name)), js_sys::Math::random().to_bits()).await))
}

/// A lock that the browser has given.
struct Held(Function);

impl Turn for Held {
    fn keep(&self) -> bool {
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let release = self.0.clone();
        later(LINGER, Box::new(move || drop(release.call0(&JsValue::UNDEFINED))));
    }
}

/// A lock that is written down.
struct Leased {
    lease: Rc<Lease>,
    /// A page that goes away gives it back.
    listener: Option<WindowListenerHandle>,
}

impl Leased {
    fn new(lease: Lease) -> Self {
        let lease = Rc::new(lease);
        let leaving = Rc::clone(&lease);
        Self {
            lease,
            listener: Some(window_event_listener(ev::pagehide, move |_| leaving.give_back())),
        }
    }
}

impl Turn for Leased {
    fn keep(&self) -> bool {
        self.lease.extend()
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let (lease, listener) = (Rc::clone(&self.lease), self.listener.take());
        later(
            LINGER,
            Box::new(move || {
                if let Some(listener) = listener {
                    listener.remove();
                }
                lease.give_back();
            }),
        );
    }
}

/// The note of a lease, in the storage that all tabs share.
struct Note(String);

impl Note {
    fn storage() -> Option<web_sys::Storage> {
        window().local_storage().ok().flatten()
    }
}

impl Slate for Note {
    fn read(&self) -> Option<String> {
        Self::storage()?.get_item(&self.0).ok().flatten()
    }

    fn write(&self, note: &str) -> bool {
        Self::storage().is_some_and(|storage| storage.set_item(&self.0, note).is_ok())
    }

    fn wipe(&self) {
        if let Some(storage) = Self::storage() {
            let _ = storage.remove_item(&self.0);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds since 1970"
    )]
    fn now(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    fn wait(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        wait(time)
    }
}
