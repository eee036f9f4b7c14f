//! Sessions, as they are kept.

use app::{backend::ClientInfo, protocol::error::Reason};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Event, Store, StoreError, audit,
    entities::session::{self, Column},
    login_failures, users,
};

/// Why a session has ended, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its person has logged out.
    LoggedOut,
    /// It was ended from elsewhere, or gave way to a newer one.
    EndedElsewhere,
    /// One of its tokens was presented by somebody who should not have had it.
    Reused,
    /// The account was disabled.
    Disabled,
    /// The account's password was changed.
    PasswordChanged,
}

impl EndReason {
    const ALL: [Self; 5] = [
        Self::LoggedOut,
        Self::EndedElsewhere,
        Self::Reused,
        Self::Disabled,
        Self::PasswordChanged,
    ];

    /// As it is written down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::EndedElsewhere => "ended_elsewhere",
            Self::Reused => "reused",
            Self::Disabled => "disabled",
            Self::PasswordChanged => "password_changed",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| StoreError::Unreadable(format!("the end reason {text:?}")))
    }
}

impl From<EndReason> for Reason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::LoggedOut => Self::LoggedOut,
            EndReason::EndedElsewhere => Self::EndedElsewhere,
            EndReason::Reused => Self::Reused,
            EndReason::Disabled => Self::Disabled,
            EndReason::PasswordChanged => Self::PasswordChanged,
        }
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// A UUIDv7: the claim `sid`.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// How often it has been refreshed.
    pub generation: i64,
    /// The generation that the present one came from.
    pub parent_generation: Option<i64>,
    /// Whether it outlives the browser's window.
    pub remember: bool,
    /// Whether a token of the present generation was presented: then its person has got the answer
    /// that carried it.
    pub acknowledged: bool,
    /// Generations that nobody was answered with, as far as tokens of them may live.
    pub replaced: Vec<Replaced>,
    /// When its person has logged in, in seconds of Unix time.
    pub created_at: i64,
    /// When the present generation was made, in seconds of Unix time.
    pub refreshed_at: i64,
    /// When it ends whatever is refreshed, in seconds of Unix time.
    pub expires_at: i64,
    /// Why it has ended before that.
    pub ended: Option<EndReason>,
}

/// Generations whose answers were lost: whoever presents a token of one has come by it on another
/// way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The first one.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// When the last access token of them expires, in seconds of Unix time.
    pub until: i64,
}

impl Replaced {
    fn write(ranges: &[Self]) -> String {
        let texts: Vec<_> = ranges
            .iter()
            .map(|range| format!("{}-{}@{}", range.first, range.last, range.until))
            .collect();
        texts.join(",")
    }

    fn parse(text: &str) -> Option<Vec<Self>> {
        let range = |text: &str| {
            let (generations, until) = text.split_once('@')?;
            let (first, last) = generations.split_once('-')?;
            Some(Self {
                first: first.parse().ok()?,
                last: last.parse().ok()?,
                until: until.parse().ok()?,
            })
        };
        text.split(',').filter(|text| !text.is_empty()).map(range).collect()
    }
}

impl TryFrom<session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        let replaced = Replaced::parse(&row.replaced).ok_or_else(|| {
            StoreError::Unreadable(format!("the replaced generations {:?}", row.replaced))
        })?;
        Ok(Self {
            acknowledged: row.acknowledged,
            replaced,
            id: row.id,
            user: row.user_id,
            generation: row.generation,
            parent_generation: row.parent_generation,
            remember: row.remember,
            created_at: row.created_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            ended: row.end_reason.as_deref().map(EndReason::parse).transpose()?,
        })
    }
}

/// A session that is about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The hash of the password that began it: where the account has another one by now, it does
    /// not begin.
    pub password_hash: String,
    /// Whether it comes from a device that the account was logged in to before.
    pub is_known_device: bool,
    /// What failed log-ins counted against that are forgiven with it.
    pub forgiven: Option<String>,
}

/// What has come of a log-in that was about to begin a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The session has begun.
    Done {
        /// Older sessions that have given way to it.
        ended: Vec<Session>,
        /// What the device's cookie is bound to.
        device_epoch: i64,
    },
    /// The account is gone, or its password was changed after it was compared.
    PasswordChanged,
    /// The account was disabled after its password was compared.
    Disabled,
}

/// What becomes of a session that somebody wants to change.
#[derive(Debug)]
pub struct Change<T> {
    /// The session as it is to be kept; `None` where it stays as it is.
    pub session: Option<Session>,
    /// From where it was seen, where that was its person.
    pub seen_from: Option<ClientInfo>,
    /// What of it goes into the audit log.
    pub entry: Option<AuditEntry>,
    /// What whoever has asked is told.
    pub answer: T,
}

impl Store {
    /// Keeps a new session, and forgets the failed log-ins that counted against a subject. Where
    /// its user has as many living sessions as allowed, the oldest end. Nothing is done where the
    /// account is gone, was disabled, or has another password than the one that was compared: a
    /// session that begins must not outlive that.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn insert_session(
        &self,
        new: NewSession,
        allowed: u64,
        entry: AuditEntry,
    ) -> Result<Begun, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let NewSession { session: new, password_hash, is_known_device, forgiven } = new;
                    let before =
                        users::note_log_in(transaction, new.user, &password_hash, new.created_at)
                            .await?;
                    let Some(before) = before else { return Ok(Begun::PasswordChanged) };
                    if before.is_disabled {
                        return Ok(Begun::Disabled);
                    }
                    // The first device of an account is no surprise.
                    let is_new_device = before.was_logged_in && !is_known_device;
                    let ended = end_surplus(transaction, &new, allowed).await?;
                    insert(transaction, new, &entry.client_info, is_new_device).await?;
                    if let Some(subject) = forgiven {
                        login_failures::forgive(transaction, &subject).await?;
                    }
                    let revoked = ended
                        .iter()
                        .map(|session| revoked(session.id, EndReason::EndedElsewhere, &entry));
                    let mut entries: Vec<_> = revoked.collect();
                    let surprise = is_new_device
                        .then(|| AuditEntry { event: Event::NewDevice, ..entry.clone() });
                    entries.push(entry);
                    entries.extend(surprise);
                    audit::insert_all(transaction, entries).await?;
                    Ok(Begun::Done { ended, device_epoch: before.device_epoch })
                })
            })
            .await
    }

    /// The session of this id, ended ones too.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        find(&self.read, id).await
    }

    /// Decides about a session and keeps what was decided, with nobody in between.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn change_session<T: Send + 'static>(
        &self,
        id: Uuid,
        decide: impl FnOnce(Session) -> Change<T> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let Some(session) = find(transaction, id).await? else { return Ok(None) };
                    let change = decide(session);
                    if let Some(session) = change.session {
                        let at = change.entry.as_ref().map(|entry| entry.at);
                        update(transaction, session, at, change.seen_from).await?;
                    }
                    if let Some(entry) = change.entry {
                        audit::insert(transaction, entry).await?;
                    }
                    Ok(Some(change.answer))
                })
            })
            .await
    }

    /// Ends the actor's session: all of its tokens are refused from then on, by its row and without
    /// an entry on the blocklist.
    ///
    /// # Errors
    ///
    /// [`ActError`]: [`Denied`](super::Denied) also where it has ended already, which leaves it as
    /// it is.
    pub async fn end_session(
        &self,
        actor: Actor,
        reason: EndReason,
        entry: AuditEntry,
    ) -> Result<(), ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                end(Column::Id.eq(actor.session), reason, entry.at).exec(transaction).await?;
                audit::insert(transaction, entry).await
            })
        })
        .await
    }

    /// Writes down which sessions' present generations were presented; those that have moved on
    /// meanwhile stay as they are.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
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

    /// Forgets sessions that nobody can have a living token of: their time is over, or they ended
    /// so long ago that all of their tokens, which live at most `token_seconds`, have expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn sweep_sessions(&self, token_seconds: i64, now: i64) -> Result<u64, StoreError> {
        let over = Condition::any()
            .add(Column::ExpiresAt.lte(now))
            .add(Column::EndedAt.lte(now.saturating_sub(token_seconds)));
        self.delete_in_portions::<session::Entity>(Column::Id, over).await
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
        replaced: Set(Replaced::write(&new.replaced)),
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

/// Keeps what may change of a session. `ended_at` counts where it has ended.
async fn update(
    connection: &impl ConnectionTrait,
    session: Session,
    ended_at: Option<i64>,
    seen_from: Option<ClientInfo>,
) -> Result<(), StoreError> {
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
        .col_expr(Column::Replaced, Expr::value(Replaced::write(&session.replaced)))
        .col_expr(Column::RefreshedAt, Expr::value(session.refreshed_at))
        .col_expr(Column::EndedAt, Expr::value(ended_at))
        .col_expr(Column::EndReason, Expr::value(session.ended.map(EndReason::as_str)))
        .filter(Column::Id.eq(session.id))
        .exec(connection)
        .await?;
    Ok(())
}

/// Ends the oldest sessions of a user who is about to have one more than allowed.
async fn end_surplus(
    connection: &impl ConnectionTrait,
    new: &Session,
    allowed: u64,
) -> Result<Vec<Session>, StoreError> {
    let now = new.created_at;
    let surplus: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(living_of(new.user, now))
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

/// The sessions of a user that have not ended.
pub(super) fn living_of(user: Uuid, now: i64) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user))
        .add(Column::EndedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

/// What the audit log tells of a session that ends because of something else: why, and what is told
/// of that.
pub(super) fn revoked(session: Uuid, reason: EndReason, because: &AuditEntry) -> AuditEntry {
    let detail = [Some(reason.as_str()), because.detail.as_deref()];
    AuditEntry {
        event: Event::SessionRevoked,
        session: Some(session),
        detail: Some(detail.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        ..because.clone()
    }
}

pub(super) fn end(
    which: Expr,
    reason: EndReason,
    now: i64,
) -> sea_orm::UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndReason, Expr::value(reason.as_str()))
        .filter(which.and(Column::EndedAt.is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_generations_are_read_as_they_were_written() {
        let ranges = vec![
            Replaced { first: 2, last: 4, until: 900 },
            Replaced { first: 7, last: 7, until: 1800 },
        ];
        assert_eq!(Replaced::parse(&Replaced::write(&ranges)), Some(ranges));
        assert_eq!(Replaced::parse(""), Some(Vec::new()));
        for rubbish in ["1", "1-2", "1@2", "a-b@c", "1-2@3,x"] {
            assert_eq!(Replaced::parse(rubbish), None, "{rubbish}");
        }
    }
}
