//! Browser-only values in the reactive arena.

use leptos::prelude::*;
use send_wrapper::SendWrapper;

/// A value of the browser (a DOM object, a JavaScript closure), owned by the reactive graph like a
/// [`StoredValue`].
///
/// Such a value must be used and dropped on the thread that created it, or it panics. The server
/// may render a page on several threads. So the value is created in the browser only: on the server
/// every access returns `None`.
pub struct BrowserValue<T: 'static>(StoredValue<Option<SendWrapper<T>>>);

impl<T: 'static> BrowserValue<T> {
    /// Creates the value in the browser, and none on the server.
    #[must_use]
    pub fn new(make: impl FnOnce() -> T) -> Self {
        #[expect(clippy::disallowed_methods, reason = "not reached on the server")]
        let value = (!cfg!(feature = "ssr")).then(|| SendWrapper::new(make()));
        Self(StoredValue::new(value))
    }

    /// Reads the value; `None` on the server, and once the owner is gone.
    pub fn with<U>(self, read: impl FnOnce(&T) -> U) -> Option<U> {
        self.0.try_with_value(|value| value.as_deref().map(read)).flatten()
    }

    /// Changes the value; `None` on the server, and once the owner is gone.
    pub fn update<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.0.try_update_value(|value| value.as_deref_mut().map(change)).flatten()
    }

    /// Replaces the value; does nothing on the server, and once the owner is gone.
    pub fn set(self, value: T) {
        let _ = self.update(|old| *old = value);
    }

    /// Drops the value ahead of its owner.
    pub fn dispose(self) {
        self.0.dispose();
    }
}

impl<T: 'static> Clone for BrowserValue<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for BrowserValue<T> {}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn new_on_server_creates_no_value() {
        let owner = Owner::new();
        owner.with(|| {
            let value = BrowserValue::new(|| -> u32 { panic!("created on the server") });
            value.set(1);
            assert_eq!(value.with(|value| *value), None);
            assert_eq!(value.update(|value| *value), None);
        });
    }
}
