//! What is not the caller's fault: told to the log once, with its cause, and to the caller without.

use app::{backend::Failure, protocol::error::Code};

use crate::{
    accounts::hashing::HashError,
    files::ExportError,
    objects::ObjectError,
    pictures::PoolError,
    store::{ActError, StoreError},
    tokens::keys::SignError,
};

/// Seconds after which a database that did not answer is worth another try.
const RETRY_AFTER: u32 = 5;

/// A failure inside the server.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hashing of passwords.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The signing of tokens.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What is kept beside the database.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The archive of an account.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The work on pictures.
    #[error(transparent)]
    Picture(#[from] PoolError),
    /// A task that did not come to its end.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Logs a failure, and makes what the caller is told of it.
pub fn internal(error: impl Into<Internal>) -> Failure {
    let error = error.into();
    match &error {
        Internal::Hash(HashError::Busy { retry_after })
        | Internal::Picture(PoolError::Busy { retry_after }) => {
            tracing::warn!(%error, "request rejected: overloaded");
            Failure::Unavailable(*retry_after)
        }
        Internal::Hash(HashError::ClientBusy { retry_after }) => {
            tracing::warn!(%error, "too many requests of one address");
            Failure::TooManyAttempts(*retry_after)
        }
        Internal::Store(StoreError::Unavailable(_))
        | Internal::Object(_)
        | Internal::Export(ExportError::File(_)) => {
            tracing::error!(%error, "request failed: unavailable");
            Failure::Unavailable(RETRY_AFTER)
        }
        Internal::Export(ExportError::Cancelled) => Code::InternalError.into(),
        _ => {
            tracing::error!(%error, "request failed: internal error");
            Code::InternalError.into()
        }
    }
}

/// What the caller is told of a change that was not made on its behalf.
#[must_use]
pub fn act_failure(error: ActError) -> Failure {
    match error {
        ActError::Denied(denied) => denied.into(),
        ActError::Store(error) => internal(error),
    }
}
