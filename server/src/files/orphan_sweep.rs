//! Deletion of orphaned objects. Objects and rows are written to two places, and a crash may happen
//! in between: object keys are recorded before the objects are written, and unreferenced objects
//! are deleted later.

use app::backend::Failure;
use axum::body::Bytes;

use super::{FileService, Inner};
use crate::{
    failure::internal,
    objects::ObjectError,
    store::{SharedTask, StoreError},
};

/// Seconds after which a pending object without a row is orphaned: an upload takes minutes at most.
const PENDING_SECONDS: i64 = 3600;
/// Objects per batch.
const BATCH: u64 = 500;

/// Error of the orphan sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The folder of objects.
    #[error("the folder of objects cannot be read: {0}")]
    Folder(#[from] std::io::Error),
}

impl FileService {
    /// Deletes orphaned objects and incomplete files.
    ///
    /// # Errors
    ///
    /// [`SweepError`]: the next sweep deletes the rest.
    pub async fn sweep(&self) -> Result<(), SweepError> {
        let Some(guard) = self.0.store.begin_shared_task(SharedTask::OrphanSweep).await? else {
            return Ok(());
        };
        while self.sweep_batch().await? {}
        self.0.objects.remove_unfinished(self.0.env.now()).await?;
        Ok(guard.end().await?)
    }

    /// Deletes a batch of orphaned objects, and returns whether more may be left.
    pub(super) async fn sweep_batch(&self) -> Result<bool, SweepError> {
        let keys = self.0.store.orphaned_objects(self.0.env.now(), BATCH).await?;
        if keys.is_empty() {
            return Ok(false);
        }
        for key in &keys {
            self.0.objects.remove(key).await?;
        }
        self.0.store.unmark_objects(keys).await?;
        Ok(true)
    }
}

impl Inner {
    /// Writes objects that a row is about to reference: all of them or none.
    pub(super) async fn put_all(&self, objects: Vec<(String, Bytes)>) -> Result<(), Failure> {
        let keys: Vec<_> = objects.iter().map(|(key, _)| key.clone()).collect();
        self.store
            .mark_pending(keys.clone(), self.env.now().saturating_add(PENDING_SECONDS))
            .await
            .map_err(internal)?;
        for (key, bytes) in objects {
            if let Err(error) = self.objects.put(&key, bytes).await {
                self.delete_objects(keys).await;
                return Err(internal(error));
            }
        }
        Ok(())
    }

    /// Deletes objects that are marked as orphaned. The next sweep retries those that cannot be
    /// deleted.
    pub(super) async fn delete_objects(&self, keys: Vec<String>) {
        let mut gone = Vec::with_capacity(keys.len());
        for key in keys {
            match self.objects.remove(&key).await {
                Ok(()) => gone.push(key),
                Err(error) => {
                    tracing::warn!(%error, key, "object could not be deleted; the next cleanup retries");
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        if let Err(error) = self.store.unmark_objects(gone).await {
            tracing::warn!(%error, "deleted objects could not be unmarked; the next cleanup retries");
        }
    }
}
