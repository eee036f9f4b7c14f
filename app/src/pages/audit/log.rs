//! State of the audit log: loaded for the filters in the URL, extended by older entries on demand and
//! by new ones as they are written.

use std::{cmp::Reverse, time::Duration};

use leptos::prelude::*;
use uuid::Uuid;

use super::{Filters, PERIOD_NAMES, PERIOD_SECONDS};
use crate::{
    components::{api_error_view::DisplayedError, loader::Loader},
    dom,
    i18n::authenticated::entries_shown,
    pages::users::actions::Actions,
    protocol::{
        audit::{AuditEntry, AuditPage, AuditQuery},
        error::{ApiError, Code},
    },
    server_fns::list_audit_entries,
    session::browser,
};

/// Interval of the requests for new entries.
const POLL_INTERVAL: Duration = Duration::from_secs(3);
/// Entries of a request for new ones; more are requested at once.
const BATCH: usize = 100;
/// Number of new entries after which following pauses, so that the page does not grow without end
/// in a tab that is left open.
const FOLLOWED_MAX: usize = 1_000;
/// Parts of the log that one request for older entries searches at most before it reports.
const SEARCHES: usize = 10;

/// State of the page.
#[derive(Clone, Copy)]
pub(super) struct Log {
    page: Loader<AuditPage>,
    filters: RwSignal<Filters>,
    is_paused: RwSignal<bool>,
    /// True if the last request for new entries has failed.
    is_disconnected: RwSignal<bool>,
    /// True while a request for new entries is pending.
    is_polling: StoredValue<bool>,
    is_loading_older: RwSignal<bool>,
    /// Number of entries that following has added.
    followed: StoredValue<usize>,
    /// Number of the list: responses for an earlier one are dropped.
    generation: StoredValue<u32>,
    /// Actions, for their context.
    pub(super) actions: Actions,
}

impl Log {
    /// Creates the state. It is loaded for each user and for each change of the filters.
    pub(super) fn new(filters: impl Fn() -> Filters + 'static) -> Self {
        let log = Self {
            page: Loader::new(),
            filters: RwSignal::new(Filters::default()),
            is_paused: RwSignal::new(false),
            is_disconnected: RwSignal::new(false),
            is_polling: StoredValue::new(false),
            is_loading_older: RwSignal::new(false),
            followed: StoredValue::new(0),
            generation: StoredValue::new(0),
            actions: Actions::new(),
        };
        let user_id = log.actions.tracked_user_id();
        Effect::new(move |before: Option<Option<Uuid>>| {
            log.filters.set(filters());
            log.start_generation();
            let user_id = user_id.get();
            match user_id {
                None => log.page.reset(),
                Some(_) if before.flatten() == user_id => log.page.reload(log.request()),
                Some(_) => log.retry(),
            }
            user_id
        });
        Effect::new(move |_| {
            let timer = set_interval_with_handle(move || log.poll(), POLL_INTERVAL);
            // Entries written while the tab was hidden are requested as soon as it is shown.
            let shown = dom::on_tab_visible(move || log.poll());
            on_cleanup(move || {
                shown.remove();
                if let Ok(timer) = timer {
                    timer.clear();
                }
            });
        });
        log
    }

    fn start_generation(self) {
        self.generation.update_value(|generation| *generation = generation.wrapping_add(1));
        self.is_polling.set_value(false);
        self.is_loading_older.set(false);
        self.followed.set_value(0);
        self.is_disconnected.set(false);
    }

    /// Loads the newest entries.
    pub(super) fn retry(self) {
        self.start_generation();
        self.page.load(self.request());
    }

    fn request(self) -> impl Future<Output = Result<AuditPage, ApiError>> {
        let (query, user_id) = (self.query(), self.actions.user_id());
        async move {
            let result = search(query).await;
            self.actions.note(user_id, &result);
            // "No such user" says more than "a field is wrong".
            result.map_err(|mut error| {
                if let Some((_, text)) = error.fields.pop_first() {
                    error.message = text;
                }
                error
            })
        }
    }

    fn query(self) -> AuditQuery {
        let Filters { event, outcome, user, period } = self.untracked_filters();
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let seconds = PERIOD_NAMES
            .into_iter()
            .zip(PERIOD_SECONDS)
            .find_map(|(name, seconds)| (name == period).then_some(seconds));
        AuditQuery {
            event: filled(event),
            outcome: filled(outcome),
            user: filled(user),
            since: seconds.map(|seconds| (now() - seconds).to_string()),
            ..AuditQuery::default()
        }
    }

    /// Requests the entries that were written since, unless following is paused or the tab hidden.
    fn poll(self) {
        let latest = self.page.get_untracked(|page| page.latest.clone());
        let Some(latest) = latest else { return };
        let is_hidden = document().hidden();
        let is_busy = self.is_polling.try_get_value() != Some(false);
        if is_busy || is_hidden || self.is_paused.get_untracked() || dom::is_offline() {
            return;
        }
        self.is_polling.set_value(true);
        let generation = self.generation.get_value();
        let query =
            AuditQuery { after: Some(latest), limit: Some(BATCH.to_string()), ..self.query() };
        dom::spawn(async move {
            let result = list_audit_entries(query).await;
            if self.generation.try_get_value() != Some(generation) {
                return;
            }
            self.is_polling.set_value(false);
            let error = result.as_ref().err().map(|error| error.code);
            let is_full = result.as_ref().is_ok_and(|new| new.entries.len() >= BATCH);
            match result {
                Ok(new) => self.add_new(new),
                // The role was lost meanwhile: shows that.
                Err(_) if error == Some(Code::Forbidden) => self.retry(),
                Err(_) => {}
            }
            let is_disconnected = error.is_some();
            if self.is_disconnected.get_untracked() != is_disconnected {
                self.is_disconnected.set(is_disconnected);
            }
            if is_full {
                self.poll();
            }
        });
    }

    /// Adds new entries above the others.
    fn add_new(self, new: AuditPage) {
        let is_moved = self.page.get_untracked(|page| page.latest != new.latest);
        if is_moved != Some(true) {
            return;
        }
        self.followed.update_value(|count| *count += new.entries.len());
        self.page.update(|page| {
            merge(&mut page.entries, new.entries);
            page.latest = new.latest;
        });
        if self.followed.get_value() >= FOLLOWED_MAX {
            self.is_paused.set(true);
        }
    }

    /// Loads older entries.
    pub(super) fn load_older(self) {
        let Some(next) = self.page.get_untracked(|page| page.next.clone()).flatten() else {
            return;
        };
        if self.is_loading_older.get_untracked() {
            return;
        }
        self.is_loading_older.set(true);
        let generation = self.generation.get_value();
        let query = AuditQuery { before: Some(next), ..self.query() };
        dom::spawn(async move {
            let result = search(query).await;
            if self.generation.try_get_value() != Some(generation) {
                return;
            }
            self.is_loading_older.set(false);
            match result {
                Ok(older) => {
                    self.page.update(|page| {
                        merge(&mut page.entries, older.entries);
                        page.next = older.next;
                    });
                }
                Err(error) if error.code == Code::Forbidden => self.retry(),
                Err(_) => self.is_disconnected.set(true),
            }
        });
    }

    /// Pauses or continues following; after many new entries with the newest page.
    pub(super) fn toggle(self) {
        self.is_paused.update(|is_paused| *is_paused = !*is_paused);
        if self.followed.get_value() >= FOLLOWED_MAX {
            self.retry();
        } else {
            self.poll();
        }
    }

    /// Returns the filters and subscribes to them.
    pub(super) fn filters(self) -> Filters {
        self.filters.get()
    }

    /// Returns the filters without subscribing to them.
    pub(super) fn untracked_filters(self) -> Filters {
        self.filters.get_untracked()
    }

    /// Returns the entries, newest first.
    pub(super) fn entries(self) -> Vec<AuditEntry> {
        self.page.get(|page| page.entries.clone()).unwrap_or_default()
    }

    /// Returns whether no entry matches, as far as the log was searched.
    pub(super) fn is_empty(self) -> bool {
        self.page.get(|page| page.entries.is_empty()).unwrap_or_default()
    }

    /// Returns whether there are older entries.
    pub(super) fn has_older(self) -> bool {
        self.page.get(|page| page.next.is_some()).unwrap_or_default()
    }

    /// Returns whether older entries are being loaded.
    pub(super) fn is_loading_older(self) -> bool {
        self.is_loading_older.get()
    }

    /// Returns whether there are no entries yet.
    pub(super) fn is_loading(self) -> bool {
        self.page.is_loading()
    }

    /// Returns whether following is paused.
    pub(super) fn is_paused(self) -> bool {
        self.is_paused.get()
    }

    /// Returns whether new entries appear by themselves.
    pub(super) fn is_live(self) -> bool {
        !self.is_paused.get() && !self.is_disconnected.get() && self.page.get(|_| ()).is_some()
    }

    /// Returns whether access was denied.
    pub(super) fn is_forbidden(self) -> bool {
        self.page.error().is_some_and(|error| error.code() == Code::Forbidden)
    }

    /// Returns whether the log is hidden: from users who are known not to be administrators.
    pub(super) fn is_hidden(self) -> bool {
        self.is_forbidden() || (self.is_loading() && self.actions.is_not_admin())
    }

    /// Returns the error, if loading has failed for another reason than missing permission or an
    /// unknown user.
    pub(super) fn load_error(self) -> Option<DisplayedError> {
        let is_shown_elsewhere = |error: &DisplayedError| error.code() == Code::Forbidden;
        self.page.error().filter(|error| !is_shown_elsewhere(error))
    }

    /// Returns the status: of following, and the number of entries.
    pub(super) fn status_text(self) -> String {
        let strings = self.actions.language.strings();
        if self.page.is_pending() {
            return strings.audit_loading.to_owned();
        }
        let state = if self.is_paused.get() {
            strings.audit_paused
        } else if self.is_disconnected.get() {
            strings.audit_disconnected
        } else {
            strings.audit_live
        };
        let count = self.page.get(|page| page.entries.len());
        count.map_or_else(String::new, |count| {
            format!("{state} · {}", entries_shown(self.actions.language.get(), count))
        })
    }
}

/// Adds entries to a list, newest first. Those that it has are repetitions.
fn merge(entries: &mut Vec<AuditEntry>, added: Vec<AuditEntry>) {
    entries.extend(added);
    entries.sort_by_key(|entry| Reverse(entry.id));
    entries.dedup_by_key(|entry| entry.id);
}

/// Requests a page, and further ones while they have no entries: filters search a part of the log at
/// a time.
async fn search(query: AuditQuery) -> Result<AuditPage, ApiError> {
    let mut page = list_audit_entries(query.clone()).await?;
    for _ in 1..SEARCHES {
        let Some(before) = page.next.clone().filter(|_| page.entries.is_empty()) else { break };
        let query = AuditQuery { before: Some(before), ..query.clone() };
        let older = list_audit_entries(query).await?;
        // The first response is the one behind which entries are new.
        page = AuditPage { latest: page.latest, ..older };
    }
    Ok(page)
}

/// Returns the time of the server's clock, or of the browser's until the server has responded, in
/// seconds of Unix time.
fn now() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    let own = || (js_sys::Date::now() / 1000.0) as i64;
    browser::seconds_until(0).map_or_else(own, std::ops::Neg::neg)
}
