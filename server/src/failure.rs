//! Errors inside the server, and their conversion to API failures.
//!
//! Use of the error types:
//!
//! - [`Failure`]: what a use case returns to its caller. The handler turns it
//!   into the `ApiError` of the response.
//! - [`Problem`](app::validation::Problem): a rejected form field; `FieldErrors` collects problems
//!   into one `Failure`.
//! - [`Code`]: the stable code of an `ApiError`. Functions without other outcomes, such as token
//!   verification, return it directly.
//! - Errors of a module (`StoreError`, `HashError`, `SignError`, …): `thiserror` enums with
//!   the cause. Callers of the API never see them.
//! - [`InternalError`]: implemented by those, next to their definition. [`internal`] logs one, once
//!   and with the request id, and returns the failure without the cause. A use case calls it where
//!   such an error leaves it.
//! - `ActError` of the store: a write on behalf of a caller that has lost the permission meanwhile,
//!   or a store error; it converts into a `Failure`.
//! - `StartError` and the errors of `commands`: printed when the process ends, with the remedy.

use std::fmt::Display;

use app::{backend::Failure, protocol::error::Code};

/// Seconds for `Retry-After` if the database or the object storage did not answer.
const RETRY_AFTER: u32 = 5;

/// Consequence of an internal error for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The server is overloaded: the caller may retry after these seconds.
    Overloaded {
        /// Seconds.
        retry_after: u32,
    },
    /// The client has too many requests of its own waiting.
    ClientBusy {
        /// Seconds.
        retry_after: u32,
    },
    /// The database or the object storage does not answer.
    Unavailable,
    /// The caller has gone: nothing is logged.
    Cancelled,
    /// Any other failure.
    Failed,
}

/// An error inside the server, whose cause a caller does not see.
pub trait InternalError: Display {
    /// Returns the consequence for the caller.
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }
}

impl InternalError for tokio::task::JoinError {}

/// Returns the failure of a request that cannot be answered for now, without a log entry.
#[must_use]
pub fn unavailable() -> Failure {
    Failure::Unavailable(RETRY_AFTER)
}

/// Logs an error, and returns the failure for the caller.
#[expect(clippy::needless_pass_by_value, reason = "used with `map_err`")]
pub fn internal(error: impl InternalError) -> Failure {
    match error.class() {
        ErrorClass::Overloaded { retry_after } => {
            tracing::warn!(%error, "request rejected: overloaded");
            Failure::Unavailable(retry_after)
        }
        ErrorClass::ClientBusy { retry_after } => {
            tracing::warn!(%error, "too many requests of one address");
            Failure::TooManyAttempts(retry_after)
        }
        ErrorClass::Unavailable => {
            tracing::error!(%error, "request failed: unavailable");
            Failure::Unavailable(RETRY_AFTER)
        }
        ErrorClass::Cancelled => Code::InternalError.into(),
        ErrorClass::Failed => {
            tracing::error!(%error, "request failed: internal error");
            Code::InternalError.into()
        }
    }
}
