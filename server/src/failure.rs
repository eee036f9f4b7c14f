//! Errors inside the server, and their conversion to API failures.
//!
//! Which error type is used where:
//!
//! - [`Failure`](app::backend::Failure): what a use case returns to its caller. The handler turns it
//!   into the `ApiError` of the response.
//! - [`Problem`](app::validation::Problem): a rejected form field; `FieldErrors` collects problems
//!   into one `Failure`.
//! - [`Code`]: the stable code of an `ApiError`. Functions without other outcomes, such as token
//!   verification, return it directly.
//! - Errors of a module ([`StoreError`], [`HashError`], [`SignError`], …): `thiserror` enums with
//!   the cause. Callers of the API never see them.
//! - [`Internal`]: the union of those. [`internal`] logs one, once and with the request id, and
//!   returns the failure without the cause. A use case calls it where such an error leaves it.
//! - [`ActError`]: a write on behalf of a caller that has lost the permission meanwhile, or a store
//!   error; [`act_failure`] converts it.
//! - `StartError` and the errors of `commands`: printed when the process ends, with the remedy.

use app::{backend::Failure, protocol::error::Code};

use crate::{
    accounts::hashing::HashError,
    files::ExportError,
    objects::ObjectError,
    pictures::PoolError,
    store::{ActError, StoreError},
    tokens::keys::SignError,
};

/// Seconds for `Retry-After` if the database did not answer.
const RETRY_AFTER: u32 = 5;

/// An error inside the server.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Password hashing.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Token signing.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The object storage.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The export of an account.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Picture processing.
    #[error(transparent)]
    Picture(#[from] PoolError),
    /// A background task that panicked or was cancelled.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Logs an error, and returns the failure for the caller.
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

/// Converts the error of a write on behalf of a caller.
#[must_use]
pub fn act_failure(error: ActError) -> Failure {
    match error {
        ActError::Denied(denied) => denied.into(),
        ActError::Store(error) => internal(error),
    }
}
