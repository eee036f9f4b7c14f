//! The lock of a browser: Web Locks where available, else a lease in storage.

use std::{rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, FutureExt, LocalBoxFuture, select},
};
use js_sys::{Function, Promise};
use leptos::{ev, leptos_dom::helpers::WindowListenerHandle, prelude::*};
use wasm_bindgen::{JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use super::runtime::{run_later, sleep};
use crate::session::{
    lease::{Lease, LeaseStorage},
    ports::{Lock, LockGuard},
};

/// Timeout of a lock: a little longer than that of the request made under it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(35);
/// Delay between the drop of a guard and the release of its lock: messages and storage writes made
/// under the lock must reach other processes before the lock does.
const RELEASE_DELAY: Duration = Duration::from_millis(100);

#[wasm_bindgen]
extern "C" {
    // web-sys has this method only behind a compiler flag.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"])]
    fn request(name: &str, granted: JsValue) -> Result<Promise, JsValue>;
}

/// The locks that all tabs share.
pub struct TabLock;

impl Lock for TabLock {
    fn acquire(&self, name: String) -> LocalBoxFuture<'static, Option<Box<dyn LockGuard>>> {
        async move {
            let guard = acquire(format!("refresh {name}")).boxed_local();
            match select(guard, sleep(LOCK_TIMEOUT)).await {
                Either::Left((guard, _)) => Some(guard),
                Either::Right(_) => None,
            }
        }
        .boxed_local()
    }
}

async fn acquire(name: String) -> Box<dyn LockGuard> {
    let (granted, guard) = oneshot::channel();
    let mut granted = Some(granted);
    let hold = Closure::once_into_js(move |_lock: JsValue| {
        // The browser holds the lock until this promise resolves.
        Promise::new(&mut |release, _| {
            if let Some(granted) = granted.take() {
                // If the caller was cancelled, the guard is dropped at once and releases the lock.
                let _ = granted.send(WebLockGuard(release));
            }
        })
    });
    // Web Locks are missing on plain HTTP, and rejected where storage is forbidden.
    if let Ok(request) = request(&name, hold)
        && let Either::Left((Ok(guard), _)) = select(guard, JsFuture::from(request)).await
    {
        return Box::new(guard);
    }
    let holder = js_sys::Math::random().to_bits();
    let lease = Lease::acquire(Rc::new(LocalStorageLease(name)), holder).await;
    Box::new(LeaseGuard::new(lease))
}

/// A Web Lock; the function resolves its promise.
struct WebLockGuard(Function);

impl LockGuard for WebLockGuard {
    fn extend(&self) -> bool {
        true
    }
}

impl Drop for WebLockGuard {
    fn drop(&mut self) {
        let release = self.0.clone();
        run_later(RELEASE_DELAY, Box::new(move || drop(release.call0(&JsValue::UNDEFINED))));
    }
}

/// A lease in storage.
struct LeaseGuard {
    lease: Rc<Lease>,
    /// Releases the lease when the page is hidden for good.
    listener: Option<WindowListenerHandle>,
}

impl LeaseGuard {
    fn new(lease: Lease) -> Self {
        let lease = Rc::new(lease);
        let unloading = Rc::clone(&lease);
        Self {
            lease,
            listener: Some(window_event_listener(ev::pagehide, move |_| unloading.release())),
        }
    }
}

impl LockGuard for LeaseGuard {
    fn extend(&self) -> bool {
        self.lease.extend()
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let (lease, listener) = (Rc::clone(&self.lease), self.listener.take());
        run_later(
            RELEASE_DELAY,
            Box::new(move || {
                if let Some(listener) = listener {
                    listener.remove();
                }
                lease.release();
            }),
        );
    }
}

/// The record of a lease in `localStorage`, under its key.
struct LocalStorageLease(String);

impl LocalStorageLease {
    fn storage() -> Option<web_sys::Storage> {
        window().local_storage().ok().flatten()
    }
}

impl LeaseStorage for LocalStorageLease {
    fn read(&self) -> Option<String> {
        Self::storage()?.get_item(&self.0).ok().flatten()
    }

    fn write(&self, record: &str) -> bool {
        Self::storage().is_some_and(|storage| storage.set_item(&self.0, record).is_ok())
    }

    fn clear(&self) {
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

    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        sleep(time)
    }
}
