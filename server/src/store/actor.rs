//! Authorization inside the transaction: the session on whose behalf a change is made must be
//! active when the change is written, whatever was checked when the request arrived.

use app::{
    backend::{Caller, Failure},
    protocol::{
        Role,
        error::{Code, Reason},
    },
};
use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait as _};
use uuid::Uuid;

use super::{Store, StoreError, entities::user, sessions};
use crate::{domain::session::EndReason, failure::internal};

/// The session on whose behalf a change is made, and the role that the change requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// Time of the change, in seconds of Unix time.
    pub at: i64,
    /// The role that the account must have; `None` where any will do.
    pub role: Option<Role>,
}

impl Actor {
    /// The caller, acting on their own account.
    #[must_use]
    pub fn new(caller: &Caller, at: i64) -> Self {
        Self { user: caller.user, session: caller.session, at, role: None }
    }

    /// The caller, acting as an administrator.
    #[must_use]
    pub fn admin(caller: &Caller, at: i64) -> Self {
        Self { role: Some(Role::Admin), ..Self::new(caller, at) }
    }

    /// Checks that the session is active, and that the account exists, is enabled and has the role.
    async fn check(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<Result<(), Denied>, StoreError> {
        let session = sessions::find(connection, self.session).await?;
        let Some(session) = session.filter(|session| session.user == self.user) else {
            return Ok(Err(Denied::SessionOver(None)));
        };
        if !session.is_active(self.at) {
            return Ok(Err(Denied::SessionOver(session.ended)));
        }
        let Some(account) = user::Entity::find_by_id(self.user).one(connection).await? else {
            return Ok(Err(Denied::SessionOver(None)));
        };
        Ok(match self.role {
            _ if account.disabled_at.is_some() => {
                Err(Denied::SessionOver(Some(EndReason::Disabled)))
            }
            Some(role) if account.role != role.as_str() => Err(Denied::Role),
            _ => Ok(()),
        })
    }
}

/// Reason for which an actor may not make a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The session has ended or expired, or its account is gone or disabled.
    #[error("the session is over")]
    SessionOver(Option<EndReason>),
    /// The account does not have the required role any more.
    #[error("the account does not have the required role")]
    Role,
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::SessionOver(reason) => Self::Revoked(reason.map(Reason::from)),
            Denied::Role => Code::Forbidden.into(),
        }
    }
}

/// Reason for which a change on behalf of a session was not made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ActError {
    /// The session may not make it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Denied(denied) => denied.into(),
            ActError::Store(error) => internal(error),
        }
    }
}

impl Store {
    /// Makes a change on behalf of a session. The actor is checked first, in the same transaction;
    /// a denial changes nothing.
    pub(super) async fn write_as<T, W>(&self, actor: Actor, work: W) -> Result<T, ActError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t DatabaseTransaction) -> BoxFuture<'t, Result<T, StoreError>>
            + Clone
            + Send
            + 'static,
    {
        let done = self.writer.write(move |transaction| {
            Box::pin(async move {
                match actor.check(transaction).await? {
                    Ok(()) => Ok(Ok(work(transaction).await?)),
                    Err(denied) => Ok(Err(denied)),
                }
            })
        });
        Ok(done.await??)
    }
}
