//! Queries of the audit log. An entry is written in the same transaction as the change that it
//! records.

use std::collections::HashSet;

use app::{backend::ClientInfo, i18n::mail::AlertKind};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DbBackend, EntityTrait as _,
    NotSet, QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, AuditFilter, Store, StoreError, StoredEntry,
    alerts::AlertEvent,
    cleanup::batch,
    entities::{
        audit_event::{self, Column},
        user,
    },
};

/// Makes a batch of a deleted user's entries anonymous, and returns its size.
pub(super) async fn anonymize_batch(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<u64, StoreError> {
    let of_user = Condition::all().add(Column::UserId.eq(user));
    let done = audit_event::Entity::update_many()
        .col_expr(Column::UserId, Expr::value(None::<Uuid>))
        .col_expr(Column::SessionId, Expr::value(None::<Uuid>))
        .col_expr(Column::Address, Expr::value(None::<String>))
        .col_expr(Column::UserAgent, Expr::value(None::<String>))
        .filter(Column::Id.in_subquery(batch::<audit_event::Entity>(Column::Id, of_user)))
        .exec(connection)
        .await?;
    Ok(done.rows_affected)
}

/// Returns those of the users whose accounts exist.
async fn existing(
    connection: &impl ConnectionTrait,
    users: impl IntoIterator<Item = Uuid>,
) -> Result<HashSet<Uuid>, StoreError> {
    let users: Vec<_> = users.into_iter().collect::<HashSet<_>>().into_iter().collect();
    let mut existing = HashSet::new();
    // SQLite binds no more than 32 766 values at once.
    for some in users.chunks(1_000) {
        let found: Vec<Uuid> = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        existing.extend(found);
    }
    Ok(existing)
}

/// Inserts an entry, in the transaction of the change that it records.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    insert_all(connection, vec![entry]).await
}

/// Inserts entries in order. Entries about an account that does not exist any more become
/// anonymous: they may come from a request that was in progress during the deletion. No other
/// change is written between lookup and insert; on PostgreSQL, a deletion in between makes one of the
/// two start again.
pub(super) async fn insert_all(
    connection: &impl ConnectionTrait,
    entries: Vec<AuditEntry>,
) -> Result<(), StoreError> {
    let existing = existing(connection, entries.iter().filter_map(|entry| entry.user)).await?;
    let anonymous = |entry: AuditEntry| match entry.user {
        Some(user) if !existing.contains(&user) => {
            AuditEntry { user: None, session: None, client_info: ClientInfo::default(), ..entry }
        }
        _ => entry,
    };
    let rows = entries.into_iter().map(anonymous).map(|entry| audit_event::ActiveModel {
        id: NotSet,
        at: Set(entry.at),
        event: Set(entry.event.as_str().to_owned()),
        outcome: Set(entry.outcome.as_str().to_owned()),
        user_id: Set(entry.user),
        session_id: Set(entry.session),
        address: Set(entry.client_info.address.map(|address| address.to_string())),
        user_agent: Set(entry.client_info.user_agent),
        detail: Set(entry.detail),
    });
    audit_event::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

impl Store {
    /// Inserts an entry of an event that changes nothing else.
    pub async fn insert_audit_entry(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer.write(move |transaction| Box::pin(insert(transaction, entry))).await
    }

    /// Like [`Store::insert_audit_entry`], on behalf of a session.
    pub async fn insert_audit_entry_as(
        &self,
        actor: Actor,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| Box::pin(insert(transaction, entry))).await
    }

    /// Records that the actor has exported the data of the account, and tells its owner.
    pub async fn record_export(&self, actor: Actor, entry: AuditEntry) -> Result<(), ActError> {
        let alerts = self.alerts.clone();
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                if let Some(event) = AlertEvent::of(AlertKind::DataExported, &entry) {
                    alerts.send(transaction, event).await?;
                }
                insert(transaction, entry).await
            })
        })
        .await
    }

    /// Returns the audit log, oldest first.
    pub async fn audit_entries(&self) -> Result<Vec<StoredEntry>, StoreError> {
        self.audit_page(AuditFilter::default(), 0, u64::MAX).await
    }

    /// Returns a page of the entries after the one with this id, oldest first.
    pub async fn audit_page(
        &self,
        filter: AuditFilter,
        after: i64,
        at_most: u64,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let rows = audit_event::Entity::find()
            .filter(conditions(&filter))
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            // SQLite's limit is signed.
            .limit(at_most.min(i64::MAX.unsigned_abs()))
            .all(&self.read)
            .await?;
        shown(&self.read, &filter, rows).await
    }

    /// Returns an id up to which all entries are there. An entry that is written later has a greater
    /// id. A reader that goes on after the last id that it has seen, without this, would lose entries
    /// on PostgreSQL.
    pub async fn complete_audit_entries(&self) -> Result<i64, StoreError> {
        let backend = self.read.get_database_backend();
        if backend != DbBackend::Postgres {
            return Ok(i64::MAX);
        }
        let last = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('audit_events', 'id')::regclass), 0)";
        let row = self.read.query_one_raw(Statement::from_string(backend, last)).await?;
        let last = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        self.complete(&["audit_events"]).await?;
        Ok(last)
    }

    /// Deletes the entries up to a time, in seconds of Unix time.
    pub async fn sweep_audit_entries(&self, until: i64) -> Result<u64, StoreError> {
        let over = Condition::all().add(Column::At.lte(until));
        self.delete_in_batches::<audit_event::Entity>(Column::Id, over).await
    }
}

/// Conditions of a filter.
pub(super) fn conditions(filter: &AuditFilter) -> Condition {
    let AuditFilter { event, outcome, user, since } = *filter;
    Condition::all()
        .add_option(event.map(|event| Column::Event.eq(event.as_str())))
        .add_option(outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())))
        .add_option(user.map(|user| Column::UserId.eq(user)))
        .add_option(since.map(|since| Column::At.gte(since)))
}

/// Converts rows that match a filter. To be called after the rows were read, so that entries of an
/// account deleted in between are anonymous.
pub(super) async fn shown(
    connection: &impl ConnectionTrait,
    filter: &AuditFilter,
    rows: Vec<audit_event::Model>,
) -> Result<Vec<StoredEntry>, StoreError> {
    let existing = existing(connection, rows.iter().filter_map(|row| row.user_id)).await?;
    let is_gone =
        |row: &audit_event::Model| row.user_id.is_some_and(|user| !existing.contains(&user));
    // The filter must not reveal which anonymous entries are this user's.
    let is_hidden = |row: &audit_event::Model| filter.user.is_some() && is_gone(row);
    Ok(rows.iter().filter(|row| !is_hidden(row)).map(|row| stored(row, is_gone(row))).collect())
}

/// Converts a row; entries of deleted accounts are returned without personal data.
fn stored(row: &audit_event::Model, is_anonymous: bool) -> StoredEntry {
    let unless_anonymous = |text: &Option<String>| text.clone().filter(|_| !is_anonymous);
    StoredEntry {
        id: row.id,
        at: row.at,
        event: row.event.clone(),
        outcome: row.outcome.clone(),
        user: row.user_id.filter(|_| !is_anonymous),
        session: row.session_id.filter(|_| !is_anonymous),
        address: unless_anonymous(&row.address),
        user_agent: unless_anonymous(&row.user_agent),
        detail: row.detail.clone(),
    }
}
