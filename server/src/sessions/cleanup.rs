//! Maintenance of the database: acknowledgements, expired rows and deleted accounts.

use super::{SessionService, clock_check::Plausibility, service::Inner};
use crate::store::{SharedTask, Store, StoreError};

/// Age of messages that no server has tried to send: none is set up to send mail any more.
const OUTBOX_SECONDS: i64 = 172_800;

impl SessionService {
    /// Writes the acknowledged generations recorded since the last time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the write fails; they stay recorded then.
    pub async fn write_acknowledgements(&self) -> Result<(), StoreError> {
        let generations = self.inner().acknowledgements.unwritten();
        if !generations.is_empty() {
            self.inner().store.acknowledge(generations.clone()).await?;
            self.inner().acknowledgements.remove(&generations);
        }
        Ok(())
    }

    /// Deletes expired sessions, revoked tokens, one-time codes, login failures and audit entries,
    /// and messages that no server sends. While the clock is implausible, everything is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails.
    pub async fn delete_expired(&self) -> Result<(), StoreError> {
        let Inner { store, blocklist, lifetimes, throttle, audit, env, .. } = &**self.inner();
        let now = env.now();
        if !self.inner().is_clock_plausible(now).await? {
            return Ok(());
        }
        blocklist.remove_expired(now);
        let Some(guard) = store.begin_shared_task(SharedTask::Cleanup).await? else {
            // Another server deletes the rows.
            return self.inner().retry_incomplete_blocklist().await;
        };
        let tokens = store.sweep_revoked_tokens(now).await?;
        let sessions = store.sweep_sessions(lifetimes.longest(), now).await?;
        let counting = throttle
            .limits
            .map_or(0, |limits| limits.login_account.seconds.max(limits.login_address.seconds));
        let failures = store.sweep_login_failures(now.saturating_sub(counting)).await?;
        let entries = store.sweep_audit_entries(now.saturating_sub(*audit)).await?;
        let changes = store.sweep_changes().await?;
        let codes = store.sweep_one_time_codes(now).await?;
        let messages = store.sweep_outbox(now.saturating_sub(OUTBOX_SECONDS)).await?;
        store.record_cleanup(now).await?;
        self.inner().retry_incomplete_blocklist().await?;
        tracing::debug!(tokens, sessions, failures, entries, changes, codes, messages, "swept");
        guard.end().await
    }

    /// Deletes the remaining data of deleted accounts, in batches.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a write fails; the next call continues.
    pub async fn finish_deletions(&self) -> Result<(), StoreError> {
        while self.inner().store.continue_deletions().await? {}
        Ok(())
    }

    /// Waits until an account is deleted.
    pub async fn next_deletion(&self) {
        self.inner().deletions.notified().await;
    }
}

impl Inner {
    /// Returns whether the clock is plausible, so that old rows may be deleted.
    async fn is_clock_plausible(&self, now: i64) -> Result<bool, StoreError> {
        let newest = self.store.newest_audit_entry().await?.map_or(0, |(id, _)| id);
        let verdict = self.clock_check.lock().await.check(now, self.env.clock.elapsed(), newest);
        match verdict {
            Plausibility::Confirmed => tracing::info!("the clock is confirmed: cleanup goes on"),
            Plausibility::Held { is_new, ahead } if is_new => tracing::warn!(
                days_ahead = ahead / 86_400,
                "the clock is far ahead of the last cleanup: nothing is cleaned up before it has run evenly for an hour \
                 and the audit log has a new entry; set the clock if it is wrong"
            ),
            Plausibility::Plausible | Plausibility::Held { .. } => {}
        }
        Ok(!matches!(verdict, Plausibility::Held { .. }))
    }
}

/// Returns the last time at which the clock was known to be right: the last cleanup, or else the
/// newest audit entry.
pub(super) async fn last_activity(store: &Store) -> Result<Option<i64>, StoreError> {
    match store.last_cleanup().await? {
        Some(at) => Ok(Some(at)),
        None => Ok(store.newest_audit_entry().await?.map(|(_, at)| at)),
    }
}
