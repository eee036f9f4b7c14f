//! Loading state of data that a page requests.

use leptos::prelude::*;
use uuid::Uuid;

use super::api_error_view::DisplayedError;
use crate::{dom, protocol::error::ApiError, session::browser::SessionContext};

/// Loading state of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadState<T, E = DisplayedError> {
    /// Not requested yet.
    Idle,
    /// Requested, without a value to show meanwhile.
    Loading,
    /// Loaded.
    Loaded(T),
    /// The request failed.
    Failed(E),
}

/// Treatment of a value that is already loaded while it is requested again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    /// Discarded at once: it belongs to another user, or the user has asked for a retry.
    Discard,
    /// Shown until the response; an error replaces it.
    Replace,
    /// Shown until a newer one has been loaded; errors are ignored.
    Keep,
}

/// A value and its requests. Only the response to the latest request counts: earlier ones are
/// dropped when they arrive.
pub struct Loader<T: 'static, E: 'static = DisplayedError> {
    state: RwSignal<LoadState<T, E>>,
    /// Number of the pending request.
    pending: RwSignal<Option<u32>>,
    /// Number of the latest request.
    latest: StoredValue<u32>,
}

impl<T: 'static, E: 'static> Clone for Loader<T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static, E: 'static> Copy for Loader<T, E> {}

impl<T: Send + Sync + 'static, E: Clone + Send + Sync + 'static> Loader<T, E> {
    /// Creates an idle loader.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: RwSignal::new(LoadState::Idle),
            pending: RwSignal::new(None),
            latest: StoredValue::new(0),
        }
    }

    /// Starts a request and returns its number.
    fn start(self, reload: Reload) -> u32 {
        let request = self.latest.get_value().wrapping_add(1);
        self.latest.set_value(request);
        self.pending.set(Some(request));
        let is_loaded = self.state.with_untracked(|state| matches!(state, LoadState::Loaded(_)));
        if reload == Reload::Discard || !is_loaded {
            self.state.set(LoadState::Loading);
        }
        request
    }

    /// Applies a response, unless it is stale or the page was left.
    fn finish(self, request: u32, reload: Reload, result: Result<T, E>) {
        if self.pending.try_get_untracked().flatten() != Some(request) {
            return;
        }
        self.pending.set(None);
        match result {
            Ok(value) => self.state.set(LoadState::Loaded(value)),
            Err(_) if reload == Reload::Keep && self.get_untracked(|_| ()).is_some() => {}
            Err(error) => self.state.set(LoadState::Failed(error)),
        }
    }

    /// Drops the response to a pending request, because the loaded value is newer: it comes from a
    /// change that the server has confirmed. Without a loaded value the request stays.
    pub fn supersede_pending(self) {
        if self.get_untracked(|_| ()).is_some() {
            let _ = self.latest.try_update_value(|latest| *latest = latest.wrapping_add(1));
            self.pending.try_set(None);
        }
    }

    /// Returns the number of the latest request; [`Self::supersede_pending`] counts as one.
    #[must_use]
    pub fn latest_request(self) -> u32 {
        self.latest.try_get_value().unwrap_or_default()
    }

    /// Discards the value and the pending request.
    pub fn reset(self) {
        self.pending.set(None);
        self.state.set(LoadState::Idle);
    }

    /// Reads the value, if it is loaded.
    pub fn get<U>(self, read: impl FnOnce(&T) -> U) -> Option<U> {
        self.state.with(|state| match state {
            LoadState::Loaded(value) => Some(read(value)),
            _ => None,
        })
    }

    /// Reads the value, if it is loaded, without subscribing to it.
    pub fn get_untracked<U>(self, read: impl FnOnce(&T) -> U) -> Option<U> {
        self.state
            .try_with_untracked(|state| match state {
                LoadState::Loaded(value) => Some(read(value)),
                _ => None,
            })
            .flatten()
    }

    /// Changes the value. Does nothing unless it is loaded, or if the page was left.
    pub fn update<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.state
            .try_update(|state| match state {
                LoadState::Loaded(value) => Some(change(value)),
                _ => None,
            })
            .flatten()
    }

    /// Returns whether there is neither a value nor an error yet.
    #[must_use]
    pub fn is_loading(self) -> bool {
        self.state.with(|state| matches!(state, LoadState::Idle | LoadState::Loading))
    }

    /// Returns whether a request is pending, also while an earlier value is shown.
    #[must_use]
    pub fn is_pending(self) -> bool {
        self.pending.with(Option::is_some)
    }

    /// As [`Self::is_pending`], without subscribing; false if the page was left.
    #[must_use]
    pub fn is_pending_untracked(self) -> bool {
        self.pending.try_get_untracked().flatten().is_some()
    }

    /// Returns the error of the last request.
    #[must_use]
    pub fn error(self) -> Option<E> {
        self.state.with(|state| match state {
            LoadState::Failed(error) => Some(error.clone()),
            _ => None,
        })
    }
}

impl<T: Send + Sync + 'static> Loader<T> {
    /// Requests a value; an earlier one is discarded at once.
    pub fn load(self, request: impl Future<Output = Result<T, ApiError>> + 'static) {
        self.run(Reload::Discard, request);
    }

    /// Requests the value of the signed-in user, and again once another one is.
    pub fn load_for_user<F>(self, request: impl Fn() -> F + 'static)
    where
        F: Future<Output = Result<T, ApiError>> + 'static,
    {
        let context = SessionContext::of_page();
        Effect::new(move |before: Option<Option<Uuid>>| {
            let user_id = context.user_id();
            if user_id.is_some() && before != Some(user_id) {
                self.load(request());
            }
            user_id
        });
    }

    /// Requests the value again. The earlier one is shown until the response.
    pub fn reload(self, request: impl Future<Output = Result<T, ApiError>> + 'static) {
        self.run(Reload::Replace, request);
    }

    /// Requests the value again. The earlier one is shown until a newer one has been loaded.
    pub fn refresh(self, request: impl Future<Output = Result<T, ApiError>> + 'static) {
        self.run(Reload::Keep, request);
    }

    fn run(self, reload: Reload, response: impl Future<Output = Result<T, ApiError>> + 'static) {
        let request = self.start(reload);
        dom::spawn(async move {
            let result = response.await.map_err(DisplayedError::new);
            self.finish(request, reload, result);
        });
    }
}

impl<T: Send + Sync + 'static, E: Clone + Send + Sync + 'static> Default for Loader<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    /// Runs a test with a loader in a reactive owner.
    fn with_loader(test: impl FnOnce(Loader<u32, &'static str>)) {
        let owner = Owner::new();
        owner.with(|| test(Loader::new()));
    }

    fn state(loader: Loader<u32, &'static str>) -> LoadState<u32, &'static str> {
        loader.state.get_untracked()
    }

    #[test]
    fn new_loader_is_idle_without_pending_request() {
        with_loader(|loader| {
            assert_eq!(state(loader), LoadState::Idle);
            assert!(untrack(|| loader.is_loading() && !loader.is_pending()));
        });
    }

    #[test]
    fn response_to_the_first_request_ends_loading() {
        for (result, expected) in
            [(Ok(1), LoadState::Loaded(1)), (Err("offline"), LoadState::Failed("offline"))]
        {
            for reload in [Reload::Discard, Reload::Replace, Reload::Keep] {
                with_loader(|loader| {
                    let request = loader.start(reload);
                    assert_eq!(state(loader), LoadState::Loading);
                    loader.finish(request, reload, result);
                    assert_eq!(state(loader), expected, "{reload:?}");
                    assert!(!untrack(|| loader.is_pending()));
                });
            }
        }
    }

    #[test]
    fn response_to_an_earlier_request_is_dropped() {
        with_loader(|loader| {
            let first = loader.start(Reload::Discard);
            let second = loader.start(Reload::Discard);
            loader.finish(first, Reload::Discard, Ok(1));
            assert_eq!(state(loader), LoadState::Loading);
            loader.finish(second, Reload::Discard, Ok(2));
            loader.finish(first, Reload::Discard, Err("late"));
            assert_eq!(state(loader), LoadState::Loaded(2));
        });
    }

    #[test]
    fn response_after_a_reset_is_dropped() {
        with_loader(|loader| {
            let request = loader.start(Reload::Discard);
            loader.reset();
            loader.finish(request, Reload::Discard, Ok(1));
            assert_eq!(state(loader), LoadState::Idle);
        });
    }

    #[test]
    fn loaded_value_is_shown_or_discarded_while_it_is_requested_again() {
        for (reload, meanwhile, after_error) in [
            (Reload::Discard, LoadState::Loading, LoadState::Failed("offline")),
            (Reload::Replace, LoadState::Loaded(1), LoadState::Failed("offline")),
            (Reload::Keep, LoadState::Loaded(1), LoadState::Loaded(1)),
        ] {
            with_loader(|loader| {
                let request = loader.start(Reload::Discard);
                loader.finish(request, Reload::Discard, Ok(1));
                let request = loader.start(reload);
                assert_eq!(state(loader), meanwhile, "{reload:?}");
                assert!(untrack(|| loader.is_pending()));
                loader.finish(request, reload, Err("offline"));
                assert_eq!(state(loader), after_error, "{reload:?}");
            });
        }
    }

    #[test]
    fn retry_after_an_error_shows_loading_again() {
        with_loader(|loader| {
            let request = loader.start(Reload::Replace);
            loader.finish(request, Reload::Replace, Err("offline"));
            assert_eq!(untrack(|| loader.error()), Some("offline"));
            loader.start(Reload::Replace);
            assert_eq!(state(loader), LoadState::Loading);
        });
    }

    #[test]
    fn update_changes_loaded_values_only() {
        with_loader(|loader| {
            assert_eq!(loader.update(|value| *value += 1), None);
            let request = loader.start(Reload::Discard);
            loader.finish(request, Reload::Discard, Ok(1));
            assert_eq!(
                loader.update(|value| {
                    *value += 1;
                    *value
                }),
                Some(2)
            );
            assert_eq!(state(loader), LoadState::Loaded(2));
        });
    }

    #[test]
    fn response_to_a_superseded_request_is_dropped() {
        for reload in [Reload::Replace, Reload::Keep] {
            with_loader(|loader| {
                let request = loader.start(Reload::Discard);
                loader.supersede_pending();
                loader.finish(request, Reload::Discard, Ok(1));
                assert_eq!(state(loader), LoadState::Loaded(1), "nothing is newer yet");
                let request = loader.start(reload);
                loader.supersede_pending();
                assert_ne!(loader.latest_request(), request);
                loader.update(|value| *value = 2);
                loader.finish(request, reload, Ok(1));
                assert_eq!(state(loader), LoadState::Loaded(2), "{reload:?}");
            });
        }
    }

    #[test]
    fn response_after_the_page_was_left_is_dropped() {
        let owner = Owner::new();
        let (loader, request) = owner.with(|| {
            let loader = Loader::<u32, &'static str>::new();
            (loader, loader.start(Reload::Discard))
        });
        owner.cleanup();
        loader.finish(request, Reload::Discard, Ok(1));
        assert_eq!(loader.get_untracked(|value| *value), None);
    }
}
