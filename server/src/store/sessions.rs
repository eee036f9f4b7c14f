//! Sessions, as they are kept.

use app::api::error::Reason;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, TransactionTrait as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    RevokedToken, Store, StoreError,
    entities::session::{self, Column},
    revoked_tokens,
};

/// Why a session has ended, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its person has logged out.
    LoggedOut,
    /// It was ended from elsewhere, or gave way to a newer one.
    EndedElsewhere,
}

impl EndReason {
    /// As it is written down.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::EndedElsewhere => "ended_elsewhere",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::LoggedOut, Self::EndedElsewhere]
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
    /// When its person has logged in, in seconds of Unix time.
    pub created_at: i64,
    /// When the present generation was made, in seconds of Unix time.
    pub refreshed_at: i64,
    /// When it ends whatever is refreshed, in seconds of Unix time.
    pub expires_at: i64,
    /// Why it has ended before that.
    pub ended: Option<EndReason>,
}

impl TryFrom<session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        Ok(Self {
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

impl Store {
    /// Keeps a new session. Where its user has as many living ones as allowed, the oldest end; their ids come back.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn insert_session(&self, new: &Session, allowed: u64) -> Result<Vec<Session>, StoreError> {
        let now = new.created_at;
        let transaction = self.write.begin().await?;
        let surplus: Vec<Uuid> = session::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(living(now).add(Column::UserId.eq(new.user)))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .offset(allowed.saturating_sub(1))
            // SQLite takes no offset without a limit.
            .limit(i64::MAX.unsigned_abs())
            .into_tuple()
            .all(&transaction)
            .await?;
        let ended = if surplus.is_empty() {
            Vec::new()
        } else {
            end(Column::Id.is_in(surplus), EndReason::EndedElsewhere, now).exec_with_returning(&transaction).await?
        };
        session::ActiveModel {
            id: Set(new.id),
            user_id: Set(new.user),
            generation: Set(new.generation),
            parent_generation: Set(new.parent_generation),
            remember: Set(new.remember),
            created_at: Set(new.created_at),
            refreshed_at: Set(new.refreshed_at),
            expires_at: Set(new.expires_at),
            ended_at: Set(None),
            end_reason: Set(None),
        }
        .insert(&transaction)
        .await?;
        transaction.commit().await?;
        ended.into_iter().map(Session::try_from).collect()
    }

    /// The session of this id, ended ones too.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        session::Entity::find_by_id(id).one(&self.read).await?.map(Session::try_from).transpose()
    }

    /// Moves a living session on to its next generation, if it is still at this one: a compare-and-swap.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn advance_session(&self, id: Uuid, from: i64, now: i64) -> Result<Option<Session>, StoreError> {
        let moved = session::Entity::update_many()
            .col_expr(Column::ParentGeneration, Expr::value(from))
            .col_expr(Column::Generation, Expr::value(from + 1))
            .col_expr(Column::RefreshedAt, Expr::value(now))
            .filter(living(now).add(Column::Id.eq(id)).add(Column::Generation.eq(from)))
            .exec_with_returning(&self.write)
            .await?;
        moved.into_iter().next().map(Session::try_from).transpose()
    }

    /// Ends a session, and writes down which of its tokens are revoked with it. One that has ended already stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn end_session(
        &self,
        id: Uuid,
        reason: EndReason,
        revoked: &[RevokedToken],
        now: i64,
    ) -> Result<(), StoreError> {
        let transaction = self.write.begin().await?;
        end(Column::Id.eq(id), reason, now).exec(&transaction).await?;
        revoked_tokens::insert(&transaction, revoked, reason, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets sessions that nobody can have a living token of: their time is over, or they ended so long ago that all of
    /// their tokens, which live at most `token_seconds`, have expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn sweep_sessions(&self, token_seconds: i64, now: i64) -> Result<u64, StoreError> {
        let done = session::Entity::delete_many()
            .filter(
                Condition::any()
                    .add(Column::ExpiresAt.lte(now))
                    .add(Column::EndedAt.lte(now.saturating_sub(token_seconds))),
            )
            .exec(&self.write)
            .await?;
        Ok(done.rows_affected)
    }
}

fn living(now: i64) -> Condition {
    Condition::all().add(Column::EndedAt.is_null()).add(Column::ExpiresAt.gt(now))
}

fn end(which: sea_orm::sea_query::Expr, reason: EndReason, now: i64) -> sea_orm::UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndReason, Expr::value(reason.as_str()))
        .filter(which.and(Column::EndedAt.is_null()))
}
