//! Caches of sessions and revoked tokens, and their invalidation after other processes have
//! written.

use uuid::Uuid;

use super::{SessionService, service::Inner};
use crate::{domain::session::Session, store::StoreError, tokens::blocklist::Blocklist};

/// Entries of the blocklist that are read at a time.
const BLOCKLIST_PAGE: u64 = 10_000;

impl SessionService {
    /// Invalidates cached sessions and accounts, and reads new entries of the blocklist, after
    /// another process has written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails.
    pub async fn invalidate_caches(&self) -> Result<(), StoreError> {
        self.inner().session_cache.invalidate_all();
        self.inner().user_cache.invalidate_all();
        self.inner().read_blocklist().await
    }

    /// Invalidates the caches if another process has written since the last poll.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails; the next poll tries again.
    pub async fn poll_changes(&self) -> Result<(), StoreError> {
        let mut seen = self.inner().changes_seen.lock().await;
        let now = self.inner().store.external_version().await?;
        if *seen != Some(now) {
            self.invalidate_caches().await?;
        }
        *seen = Some(now);
        Ok(())
    }
}

impl Inner {
    /// Returns a session from the cache or the database.
    pub(super) async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        self.session_cache.get_or_load(id, async || self.store.session(id).await).await
    }

    /// Reads new entries of the blocklist; expired ones, too, as the clock may be ahead.
    pub(super) async fn read_blocklist(&self) -> Result<(), StoreError> {
        self.read_into(&self.blocklist).await
    }

    /// Reads the blocklist again if it did not fit into memory: it may fit by now.
    pub(super) async fn retry_incomplete_blocklist(&self) -> Result<(), StoreError> {
        if self.blocklist.read_from().is_some() {
            return Ok(());
        }
        let blocklist = Blocklist::default();
        self.read_into(&blocklist).await?;
        self.blocklist.replace(blocklist);
        // Entries added meanwhile.
        self.read_blocklist().await
    }

    async fn read_into(&self, blocklist: &Blocklist) -> Result<(), StoreError> {
        while let Some(last) = blocklist.read_from() {
            let tokens = self.store.revoked_tokens(last, BLOCKLIST_PAGE).await?;
            let is_last = u64::try_from(tokens.len()).is_ok_and(|count| count < BLOCKLIST_PAGE);
            blocklist.add(tokens);
            if is_last {
                return Ok(());
            }
        }
        tracing::warn!(
            "there are more revoked tokens than fit into memory: each request looks its token up"
        );
        Ok(())
    }
}
