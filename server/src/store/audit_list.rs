//! Pages of the audit log, newest first.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use uuid::Uuid;

use super::{
    AuditFilter, Store, StoreError, StoredEntry,
    audit::{conditions, shown},
    entities::{
        audit_event::{self, Column},
        user,
    },
};

/// Entries that a filter searches for one page. The filters have no indexes of their own, which each
/// login would pay for.
const WINDOW: i64 = 50_000;

/// Part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditStart {
    /// The newest entries.
    Newest,
    /// Entries before the one with this id.
    Before(i64),
    /// Entries after the one with this id.
    After(i64),
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<StoredEntry>,
    /// Id before which older entries may be; [`None`] if there are none.
    pub next: Option<i64>,
    /// Id up to which all entries have been committed and read.
    pub latest: i64,
}

impl Store {
    /// Returns a page of the entries that match a filter. A page before the newest entries may have
    /// fewer than there are, and a cursor of the rest.
    pub async fn audit_list(
        &self,
        filter: AuditFilter,
        start: AuditStart,
        limit: u64,
    ) -> Result<AuditPage, StoreError> {
        // Before the entries, so that none is missed between the queries.
        let complete = self.complete_audit_entries().await?;
        let newest = self.newest_audit_entry().await?.map_or(0, |(id, _)| id);
        let latest = newest.min(complete);
        let newest = match start {
            AuditStart::After(after) => {
                return self.audit_after(filter, after, limit, latest).await;
            }
            AuditStart::Newest => newest,
            AuditStart::Before(before) => before.saturating_sub(1),
        };
        self.audit_before(filter, newest, limit, latest).await
    }

    async fn audit_after(
        &self,
        filter: AuditFilter,
        after: i64,
        limit: u64,
        latest: i64,
    ) -> Result<AuditPage, StoreError> {
        let rows = find(&filter)
            .filter(Column::Id.gt(after))
            .filter(Column::Id.lte(latest))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await?;
        let is_full = rows.len() as u64 >= limit;
        let last = rows.last().map(|row| row.id).filter(|_| is_full);
        let mut entries = shown(&self.read, &filter, rows).await?;
        entries.reverse();
        Ok(AuditPage { entries, next: None, latest: last.unwrap_or(latest).max(after) })
    }

    async fn audit_before(
        &self,
        filter: AuditFilter,
        newest: i64,
        limit: u64,
        latest: i64,
    ) -> Result<AuditPage, StoreError> {
        let oldest = self.oldest_since(filter.since).await?;
        // The index of the accounts' entries finds them without a search.
        let window = if filter.user.is_some() { newest } else { newest.min(WINDOW) };
        let floor = newest.saturating_sub(window).max(oldest.saturating_sub(1));
        let rows = find(&filter)
            .filter(Column::Id.lte(newest))
            .filter(Column::Id.gt(floor))
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await?;
        let is_full = rows.len() as u64 >= limit;
        let next = match rows.last() {
            Some(last) if is_full => Some(last.id),
            _ => Some(floor.saturating_add(1)),
        };
        let next = next.filter(|next| *next > oldest);
        Ok(AuditPage { entries: shown(&self.read, &filter, rows).await?, next, latest })
    }

    /// Returns the id of the first entry since a time.
    async fn oldest_since(&self, since: Option<i64>) -> Result<i64, StoreError> {
        let all = audit_event::Entity::find().select_only().column(Column::Id);
        let first = match since {
            Some(since) => all.filter(Column::At.gte(since)).order_by_asc(Column::At),
            None => all,
        };
        let oldest: Option<i64> =
            first.order_by_asc(Column::Id).limit(1).into_tuple().one(&self.read).await?;
        Ok(oldest.unwrap_or(i64::MAX))
    }

    /// Returns the usernames of those accounts that exist.
    pub async fn usernames(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, String>, StoreError> {
        let names: Vec<(Uuid, String)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::Username])
            .filter(user::Column::Id.is_in(ids))
            .into_tuple()
            .all(&self.read)
            .await?;
        Ok(names.into_iter().collect())
    }
}

fn find(filter: &AuditFilter) -> Select<audit_event::Entity> {
    audit_event::Entity::find().filter(conditions(filter))
}
