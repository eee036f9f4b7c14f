//! Sessions.

use app::{backend::ClientInfo, i18n::mail::AlertKind};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, UpdateMany,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Event, Store, StoreError,
    alerts::AlertEvent,
    audit, changes,
    entities::session::{self, Column},
    login_failures, users,
};
use crate::domain::session::{EndReason, Session, UndeliveredGenerations};

/// Stored form of undelivered generations.
fn write_ranges(ranges: &[UndeliveredGenerations]) -> String {
    let texts: Vec<_> = ranges
        .iter()
        .map(|range| format!("{}-{}@{}", range.first, range.last, range.until))
        .collect();
    texts.join(",")
}

fn parse_ranges(text: &str) -> Option<Vec<UndeliveredGenerations>> {
    let range = |text: &str| {
        let (generations, until) = text.split_once('@')?;
        let (first, last) = generations.split_once('-')?;
        Some(UndeliveredGenerations {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            until: until.parse().ok()?,
        })
    };
    text.split(',').filter(|text| !text.is_empty()).map(range).collect()
}

impl TryFrom<session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        let undelivered = parse_ranges(&row.undelivered).ok_or_else(|| {
            StoreError::Unreadable(format!("the undelivered generations {:?}", row.undelivered))
        })?;
        Ok(Self {
            acknowledged: row.acknowledged,
            undelivered,
            id: row.id,
            user: row.user_id,
            generation: row.generation,
            parent_generation: row.parent_generation,
            remember: row.remember,
            created_at: row.created_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            ended: row
                .end_reason
                .as_deref()
                .map(|text| {
                    EndReason::parse(text)
                        .ok_or_else(|| StoreError::Unreadable(format!("the end reason {text:?}")))
                })
                .transpose()?,
        })
    }
}

/// A new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// Hash of the password of the login: if the account has another hash by now, the session is
    /// not inserted.
    pub password_hash: String,
    /// Set if the device has a valid device cookie of the account.
    pub is_known_device: bool,
    /// Subject whose failed logins are cleared.
    pub cleared_subject: Option<String>,
}

/// Outcome of [`Store::insert_session`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertSessionOutcome {
    /// The session was inserted.
    Inserted {
        /// Older sessions that were revoked because of the limit of sessions.
        ended: Vec<Session>,
        /// Device epoch of the account, for the device cookie.
        device_epoch: i64,
    },
    /// The account is gone, or its password was changed after it was compared.
    PasswordChanged,
    /// The account was disabled after its password was compared.
    AccountDisabled,
}

/// Decision about a change of a session.
#[derive(Debug)]
pub struct SessionChange<T> {
    /// The changed session; [`None`] to leave it unchanged.
    pub session: Option<Session>,
    /// Client to record as last seen; [`None`] if it may not be the user.
    pub seen_from: Option<ClientInfo>,
    /// Audit entry.
    pub entry: Option<AuditEntry>,
    /// Result for the caller.
    pub answer: T,
}

impl Store {
    /// Inserts a session and clears the failed logins of a subject. If the user has the maximum
    /// number of active sessions, the oldest are revoked. Nothing is done if the account is gone,
    /// disabled or has another password than the one that was checked: a new session must not
    /// outlive those events.
    pub async fn insert_session(
        &self,
        new: NewSession,
        allowed: u64,
        entry: AuditEntry,
    ) -> Result<InsertSessionOutcome, StoreError> {
        let alerts = self.alerts.clone();
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let NewSession {
                        session: new,
                        password_hash,
                        is_known_device,
                        cleared_subject,
                    } = new;
                    // Of a device that is not known, the user may not be at it.
                    let lang = is_known_device.then_some(entry.client_info.lang);
                    let before = users::record_login(
                        transaction,
                        new.user,
                        &password_hash,
                        new.created_at,
                        lang,
                    )
                    .await?;
                    let Some(before) = before else {
                        return Ok(InsertSessionOutcome::PasswordChanged);
                    };
                    if before.is_disabled {
                        return Ok(InsertSessionOutcome::AccountDisabled);
                    }
                    // The first login of an account is not reported as a new device.
                    let is_new_device = before.was_logged_in && !is_known_device;
                    let mut ended = Vec::new();
                    if before.sessions >= allowed {
                        ended = end_surplus(transaction, &new, allowed).await?;
                        let changed = ended.iter().map(|session| Change::Session(session.id));
                        changes::record(transaction, changed).await?;
                    }
                    insert(transaction, new, &entry.client_info, is_new_device).await?;
                    if let Some(subject) = cleared_subject {
                        login_failures::clear(transaction, &subject).await?;
                    }
                    let revoked = ended
                        .iter()
                        .map(|session| revoked(session.id, EndReason::EndedElsewhere, &entry));
                    let mut entries: Vec<_> = revoked.collect();
                    if is_new_device
                        && let Some(event) = AlertEvent::of(AlertKind::NewDevice, &entry)
                    {
                        alerts.send(transaction, event).await?;
                    }
                    let surprise = is_new_device
                        .then(|| AuditEntry { event: Event::NewDevice, ..entry.clone() });
                    entries.push(entry);
                    entries.extend(surprise);
                    audit::insert_all(transaction, entries).await?;
                    Ok(InsertSessionOutcome::Inserted { ended, device_epoch: before.device_epoch })
                })
            })
            .await
    }

    /// Returns the session with this id, also if it has ended.
    pub async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        find(&self.read, id).await
    }

    /// Changes a session as `decide` says. Row and decision share a transaction. `decide` is called
    /// again if the change is made again because of a concurrent one.
    pub async fn change_session<T: Send + 'static>(
        &self,
        id: Uuid,
        decide: impl FnOnce(Session) -> SessionChange<T> + Clone + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let Some(session) = find(transaction, id).await? else { return Ok(None) };
                    let before = session.clone();
                    let change = decide(session);
                    if let Some(session) = change.session {
                        if session.revokes_tokens_of(&before) {
                            changes::record(transaction, [Change::Session(id)]).await?;
                        }
                        let at = change.entry.as_ref().map(|entry| entry.at);
                        update(&session, at, change.seen_from).exec(transaction).await?;
                    }
                    if let Some(entry) = change.entry {
                        audit::insert(transaction, entry).await?;
                    }
                    Ok(Some(change.answer))
                })
            })
            .await
    }

    /// Rotates a session to its next generation, unless it has ended or has another generation than
    /// the one before; returns whether it was rotated. `next` follows from a session of that
    /// generation, whenever it was read: no other column that it depends on changes without the
    /// generation.
    ///
    /// False also if the outcome is unknown, because PostgreSQL has closed the connection.
    /// [`Store::change_session`] then reads the session again. It does the same in four round trips in
    /// place of one.
    pub async fn rotate_session(
        &self,
        next: &Session,
        seen_from: ClientInfo,
    ) -> Result<bool, StoreError> {
        let before = Column::Generation.eq(next.generation - 1).and(Column::EndedAt.is_null());
        let update = update(next, None, Some(seen_from)).filter(before);
        Ok(self.writer.update(update).await?.is_some_and(|rows| rows > 0))
    }

    /// Ends the actor's session. Its tokens are rejected because of its row, without entries in the
    /// blocklist.
    ///
    /// # Errors
    ///
    /// [`ActError::Denied`] also if the session has ended already.
    pub async fn end_session(
        &self,
        actor: Actor,
        reason: EndReason,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                end(Column::Id.eq(actor.session), reason, entry.at).exec(transaction).await?;
                changes::record(transaction, [Change::Session(actor.session)]).await?;
                audit::insert(transaction, entry).await
            })
        })
        .await
    }

    /// Marks generations as acknowledged, except those of sessions that were refreshed meanwhile.
    pub async fn acknowledge(&self, generations: Vec<(Uuid, i64)>) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    for (id, generation) in generations {
                        session::Entity::update_many()
                            .col_expr(Column::Acknowledged, Expr::value(true))
                            .filter(Column::Id.eq(id).and(Column::Generation.eq(generation)))
                            .exec(transaction)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Deletes sessions of which no token can be valid: they have expired, or ended so long ago
    /// that all of their tokens, which are valid for `token_seconds` at most, have expired.
    pub async fn sweep_sessions(&self, token_seconds: i64, now: i64) -> Result<u64, StoreError> {
        let over = Condition::any()
            .add(Column::ExpiresAt.lte(now))
            .add(Column::EndedAt.lte(now.saturating_sub(token_seconds)));
        self.delete_in_batches::<session::Entity>(Column::Id, over).await
    }
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Session>, StoreError> {
    session::Entity::find_by_id(id).one(connection).await?.map(Session::try_from).transpose()
}

async fn insert(
    connection: &impl ConnectionTrait,
    new: Session,
    client_info: &ClientInfo,
    is_new_device: bool,
) -> Result<(), StoreError> {
    let row = session::ActiveModel {
        id: Set(new.id),
        user_id: Set(new.user),
        generation: Set(new.generation),
        parent_generation: Set(new.parent_generation),
        acknowledged: Set(new.acknowledged),
        undelivered: Set(write_ranges(&new.undelivered)),
        remember: Set(new.remember),
        created_at: Set(new.created_at),
        refreshed_at: Set(new.refreshed_at),
        expires_at: Set(new.expires_at),
        ended_at: Set(None),
        end_reason: Set(None),
        address: Set(client_info.address.map(|address| address.to_string())),
        user_agent: Set(client_info.user_agent.clone()),
        new_device: Set(is_new_device),
    };
    session::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// Returns the update of the mutable columns of a session. `ended_at` is used if it has ended.
fn update(
    session: &Session,
    ended_at: Option<i64>,
    seen_from: Option<ClientInfo>,
) -> UpdateMany<session::Entity> {
    let ended_at = session.ended.and(ended_at);
    let mut update = session::Entity::update_many();
    if let Some(ClientInfo { address, user_agent, .. }) = seen_from {
        update = update
            .col_expr(Column::Address, Expr::value(address.map(|address| address.to_string())))
            .col_expr(Column::UserAgent, Expr::value(user_agent));
    }
    update
        .col_expr(Column::Generation, Expr::value(session.generation))
        .col_expr(Column::ParentGeneration, Expr::value(session.parent_generation))
        .col_expr(Column::Acknowledged, Expr::value(session.acknowledged))
        .col_expr(Column::Undelivered, Expr::value(write_ranges(&session.undelivered)))
        .col_expr(Column::RefreshedAt, Expr::value(session.refreshed_at))
        .col_expr(Column::EndedAt, Expr::value(ended_at))
        .col_expr(Column::EndReason, Expr::value(session.ended.map(EndReason::as_str)))
        .filter(Column::Id.eq(session.id))
}

/// Revokes the oldest sessions of a user, so that the new one is within the limit.
async fn end_surplus(
    connection: &impl ConnectionTrait,
    new: &Session,
    allowed: u64,
) -> Result<Vec<Session>, StoreError> {
    let now = new.created_at;
    let surplus: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(active_sessions_of(new.user, now))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .offset(allowed.saturating_sub(1))
        // SQLite takes no offset without a limit.
        .limit(i64::MAX.unsigned_abs())
        .into_tuple()
        .all(connection)
        .await?;
    if surplus.is_empty() {
        return Ok(Vec::new());
    }
    let ended = end(Column::Id.is_in(surplus), EndReason::EndedElsewhere, now)
        .exec_with_returning(connection)
        .await?;
    ended.into_iter().map(Session::try_from).collect()
}

/// Condition of a user's active sessions.
pub(super) fn active_sessions_of(user: Uuid, now: i64) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user))
        .add(Column::EndedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

/// Creates the audit entry of a session that ends because of another event, with the reason and the
/// details of that event.
pub(super) fn revoked(session: Uuid, reason: EndReason, because: &AuditEntry) -> AuditEntry {
    let detail = [Some(reason.as_str()), because.detail.as_deref()];
    AuditEntry {
        event: Event::SessionRevoked,
        session: Some(session),
        detail: Some(detail.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        ..because.clone()
    }
}

pub(super) fn end(which: Expr, reason: EndReason, now: i64) -> UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndReason, Expr::value(reason.as_str()))
        .filter(which.and(Column::EndedAt.is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_written_generations_returns_them() {
        let ranges = vec![
            UndeliveredGenerations { first: 2, last: 4, until: 900 },
            UndeliveredGenerations { first: 7, last: 7, until: 1800 },
        ];
        assert_eq!(parse_ranges(&write_ranges(&ranges)), Some(ranges));
        assert_eq!(parse_ranges(""), Some(Vec::new()));
        for invalid in ["1", "1-2", "1@2", "a-b@c", "1-2@3,x"] {
            assert_eq!(parse_ranges(invalid), None, "{invalid}");
        }
    }
}
