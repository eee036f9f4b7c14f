//! The audit log, as administrators read it in pages.

use app::{
    backend::{AuditSearch, Failure, FieldErrors},
    protocol::audit::{AuditEntry, AuditPage, AuditUser},
    validation::ServerProblem,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::service::Inner;
use crate::{
    accounts::lookup,
    domain::user_agent,
    failure::internal,
    store::{self, AuditFilter, AuditStart, Event, Outcome, StoredEntry},
};

impl Inner {
    pub(super) async fn audit_entries(&self, search: AuditSearch) -> Result<AuditPage, Failure> {
        let AuditSearch { event, outcome, user, since, before, after, limit } = search;
        let mut fields = FieldErrors::default();
        let parse = |cursor: Option<String>| {
            cursor.map(|text| parse_cursor(&text).ok_or(ServerProblem::CursorInvalid)).transpose()
        };
        let before = fields.check("before", parse(before)).flatten();
        let after = fields.check("after", parse(after)).flatten();
        let user = match user {
            Some(typed) => {
                let found = lookup::find(&self.store, &typed).await.map_err(internal)?;
                fields.check("user", found.ok_or(ServerProblem::AccountUnknown))
            }
            None => None,
        };
        fields.into_result()?;
        let filter = AuditFilter {
            event: event.and_then(|event| Event::parse(&event)),
            outcome: outcome.and_then(|outcome| Outcome::parse(&outcome)),
            user,
            since,
        };
        let start = match (before, after) {
            (Some(before), _) => AuditStart::Before(before),
            (None, Some(after)) => AuditStart::After(after),
            (None, None) => AuditStart::Newest,
        };
        let page = self.store.audit_list(filter, start, limit).await;
        let store::AuditPage { entries, next, latest } = page.map_err(internal)?;
        let entries: Vec<_> = entries.into_iter().map(Entry::of).collect();
        let ids = entries.iter().flat_map(|entry| [entry.stored.user, entry.actor]).flatten();
        let names = self.store.usernames(ids.collect::<Vec<_>>()).await.map_err(internal)?;
        let account = |id: Uuid| AuditUser { id, username: names.get(&id).cloned() };
        Ok(AuditPage {
            entries: entries.into_iter().map(|entry| entry.shown(account)).collect(),
            next: next.map(write_cursor),
            latest: write_cursor(latest),
        })
    }
}

/// An entry, with the administrator that its details name.
pub(super) struct Entry {
    pub(super) stored: StoredEntry,
    actor: Option<Uuid>,
}

impl Entry {
    pub(super) fn of(mut stored: StoredEntry) -> Self {
        let mut actor = None;
        // `AuditContext::entry` appends it.
        if let Some(detail) = &stored.detail
            && let Some((rest, by)) =
                detail.rsplit_once("by ").filter(|(rest, _)| rest.is_empty() || rest.ends_with(' '))
            && let Ok(id) = Uuid::try_parse(by)
        {
            actor = Some(id);
            let rest = rest.trim_end().to_owned();
            stored.detail = (!rest.is_empty()).then_some(rest);
        }
        Self { stored, actor }
    }

    /// Returns whether another account has caused the event than the one that it is about.
    pub(super) fn is_by_another(&self) -> bool {
        self.actor.is_some_and(|actor| Some(actor) != self.stored.user)
    }

    fn shown(self, account: impl Fn(Uuid) -> AuditUser) -> AuditEntry {
        let StoredEntry { id, at, event, outcome, user, session, address, user_agent, detail } =
            self.stored;
        let agent = user_agent.as_deref().unwrap_or_default();
        AuditEntry {
            id,
            at,
            event,
            outcome,
            user: user.map(&account),
            actor: self.actor.map(&account),
            session,
            address,
            browser: user_agent::browser(agent).map(str::to_owned),
            system: user_agent::system(agent).map(str::to_owned),
            user_agent,
            detail,
        }
    }
}

pub(super) fn write_cursor(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("e{id}"))
}

pub(super) fn parse_cursor(text: &str) -> Option<i64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    text.strip_prefix('e')?.parse().ok().filter(|id| *id >= 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entry_of_details_separates_the_administrator() {
        let id = Uuid::from_u128(7);
        for (detail, rest, actor) in [
            (format!("by {id}"), None, Some(id)),
            (format!("disabled by {id}"), Some("disabled"), Some(id)),
            ("by the command line".to_owned(), Some("by the command line"), None),
            (format!("lobby {id}"), None, None),
            ("nickname".to_owned(), Some("nickname"), None),
        ] {
            let stored = StoredEntry {
                id: 1,
                at: 0,
                event: String::new(),
                outcome: String::new(),
                user: None,
                session: None,
                address: None,
                user_agent: None,
                detail: Some(detail.clone()),
            };
            let entry = Entry::of(stored);
            assert_eq!(entry.actor, actor, "{detail}");
            let expected = if detail.starts_with("lobby") { Some(&*detail) } else { rest };
            assert_eq!(entry.stored.detail.as_deref(), expected, "{detail}");
        }
    }

    proptest! {
        #[test]
        fn parse_of_written_cursor_returns_it(id in 0..i64::MAX) {
            prop_assert_eq!(parse_cursor(&write_cursor(id)), Some(id));
        }

        #[test]
        fn parse_of_any_cursor_does_not_panic(text in "\\PC{0,40}") {
            let _ = parse_cursor(&text);
        }
    }
}
