//! Tasks that outlive the request that started them.

use app::backend::Failure;
use tracing::Instrument as _;

use crate::failure::internal;

/// Runs a change to completion, even if the client disconnects: a change that was committed must
/// also be invalidated in the caches.
pub(crate) async fn run_to_completion<T: Send + 'static>(
    change: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(change.in_current_span()).await.map_err(internal)?
}
