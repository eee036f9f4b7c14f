//! Recent activity: the audit entries of a user's own account.

use std::collections::HashSet;

use app::{
    backend::{ActivitySearch, Caller, Failure},
    protocol::activity::{ActivityEvent, ActivityPage},
    validation::ServerProblem,
};
use uuid::Uuid;

use super::{
    audit_log::{Entry, parse_cursor, write_cursor},
    service::Inner,
};
use crate::{
    domain::user_agent,
    failure::internal,
    store::{AuditFilter, AuditStart, Event, StoredEntry},
};

/// Age of the oldest events that are shown, in seconds: 90 days.
const PERIOD: i64 = 7_776_000;

impl Inner {
    /// Lists the events of the caller's account, newest first.
    pub(super) async fn activity(
        &self,
        caller: &Caller,
        search: ActivitySearch,
    ) -> Result<ActivityPage, Failure> {
        let ActivitySearch { after, limit } = search;
        let start = match after {
            Some(after) => AuditStart::Before(
                parse_cursor(&after)
                    .ok_or_else(|| Failure::field("after", ServerProblem::CursorInvalid))?,
            ),
            None => AuditStart::Newest,
        };
        let now = self.env.now();
        let filter = AuditFilter {
            user: Some(caller.user),
            since: Some(now.saturating_sub(PERIOD)),
            ..AuditFilter::default()
        };
        let page = self.store.audit_list(filter, start, limit).await.map_err(internal)?;
        let active = self.store.devices(caller.user, now).await.map_err(internal)?;
        let active: HashSet<_> = active.into_iter().map(|stored| stored.session.id).collect();
        // The login from a new device has an entry of each kind: the user sees one event.
        let new_devices: HashSet<_> = page
            .entries
            .iter()
            .filter(|entry| entry.event == Event::NewDevice.as_str())
            .map(|entry| entry.session)
            .collect();
        let is_repeated = |entry: &StoredEntry| {
            entry.event == Event::LoggedIn.as_str() && new_devices.contains(&entry.session)
        };
        let events = page.entries.into_iter().filter(|entry| !is_repeated(entry));
        let events = events.map(|entry| shown(Entry::of(entry), &active));
        Ok(ActivityPage { events: events.collect(), next: page.next.map(write_cursor) })
    }
}

/// An event as the owner of the account sees it: without the client of an administrator, and with
/// sessions that can still be ended only.
fn shown(entry: Entry, active: &HashSet<Uuid>) -> ActivityEvent {
    let is_own = !entry.is_by_another();
    let stored = entry.stored;
    let agent = stored.user_agent.filter(|_| is_own).unwrap_or_default();
    ActivityEvent {
        event: stored.event,
        at: stored.at,
        browser: user_agent::browser(&agent).map(str::to_owned),
        system: user_agent::system(&agent).map(str::to_owned),
        address: stored.address.filter(|_| is_own),
        outcome: stored.outcome,
        session_id: stored.session.filter(|session| active.contains(session)),
    }
}
