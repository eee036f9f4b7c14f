//! Tasks that outlive the request that started them.

use app::backend::Failure;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::failure::internal;

/// Tasks that may outlive their request. The shutdown waits for them. Clones share the tasks.
#[derive(Clone, Debug, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    /// Runs work that goes on after the response.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.spawn(work.in_current_span())
    }

    /// Runs a change to completion, even if the client disconnects: after a commit, the caches have
    /// to be invalidated too.
    pub(crate) async fn run_to_completion<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.spawn(change).await.map_err(internal)?
    }

    /// Completes once all tasks are done: at shutdown, when no request runs any more.
    pub async fn finish(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
