//! Caches of sessions and revoked tokens, and their invalidation after other processes have
//! written.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use app::backend::Failure;
use uuid::Uuid;

use super::{SessionService, service::Inner};
use crate::{
    domain::session::Session,
    failure::{internal, unavailable},
    metrics::{Task, metrics},
    store::{Change, News, StoreError},
    tokens::blocklist::Blocklist,
};

/// Entries of the blocklist that are read at a time.
const BLOCKLIST_PAGE: u64 = 10_000;
/// Interval of reading the changes of other processes, which must be visible within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// Interval of comparing the clock of the database with this one.
const CLOCK_INTERVAL: Duration = Duration::from_mins(1);
/// Time without news of the database after which no token is accepted: it may have been revoked.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Time at which this process last knew all changes of others, by the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct LastHeard {
    /// Milliseconds since the start of the clock.
    at: AtomicU64,
    /// Set once the changes are followed: without that, nothing is known about their age.
    is_followed: AtomicBool,
}

impl LastHeard {
    fn set(&self, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.at.store(now, Ordering::Release);
    }

    fn follow(&self, now: Duration) {
        self.set(now);
        self.is_followed.store(true, Ordering::Release);
    }

    fn is_silent(&self, now: Duration) -> bool {
        let heard = Duration::from_millis(self.at.load(Ordering::Acquire));
        self.is_followed.load(Ordering::Acquire) && now.saturating_sub(heard) > SILENCE_MAX
    }
}

impl SessionService {
    /// Invalidates all cached sessions and accounts, and reads the blocklist again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails.
    pub async fn invalidate_caches(&self) -> Result<(), StoreError> {
        self.inner().session_cache.invalidate_all();
        self.inner().user_cache.invalidate_all();
        self.inner().reload_blocklist().await
    }

    /// Invalidates what other processes have changed since the last poll.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a query fails; the next poll tries again.
    pub async fn poll_changes(&self) -> Result<(), StoreError> {
        let inner = self.inner();
        let mut position = inner.changes_position.lock().await;
        // Before the query: changes during it may be missing from its result.
        let asked_at = inner.env.clock.elapsed();
        let (news, next) = inner.store.news_since(&position).await?;
        match news {
            News::Everything => {
                self.invalidate_caches().await?;
                inner.codec.reload_keys().await?;
            }
            News::Changes(changes, blocked) => {
                inner.blocklist.add(blocked);
                for change in changes {
                    match change {
                        Change::Session(id) => inner.session_cache.invalidate(&id),
                        Change::Account(id) => inner.user_cache.invalidate(id),
                        Change::SigningKeys => inner.codec.reload_keys().await?,
                    }
                }
            }
        }
        *position = next;
        inner.last_heard.set(asked_at);
        Ok(())
    }

    /// Compares the clock of the database with this one until it is dropped, and warns if they
    /// differ: tokens of other servers could be refused.
    pub async fn watch_clocks(&self) {
        loop {
            self.compare_clocks().await;
            tokio::time::sleep(CLOCK_INTERVAL).await;
        }
    }

    async fn compare_clocks(&self) {
        let Inner { store, env, .. } = &**self.inner();
        // A database that does not answer is reported by the poll.
        if let Ok(Some(difference)) = store.compare_clocks(&*env.clock).await
            && difference.is_large()
        {
            tracing::warn!(
                ahead_ms = difference.ahead,
                uncertainty_ms = difference.uncertainty,
                "the clock of the database and the clock of this node differ; synchronize them, or \
                 tokens of other nodes are refused"
            );
        }
    }

    /// Follows the changes of other processes until it is dropped. From now on, requests with
    /// tokens are refused while the changes cannot be read.
    pub async fn follow_changes(&self) {
        let inner = self.inner();
        inner.last_heard.follow(inner.env.clock.elapsed());
        let (mut is_failing, mut is_refusing) = (false, false);
        loop {
            let problem = self.poll_changes().await.err();
            let was_refusing = std::mem::replace(
                &mut is_refusing,
                inner.last_heard.is_silent(inner.env.clock.elapsed()),
            );
            match &problem {
                Some(problem) if is_refusing && !was_refusing => tracing::error!(
                    %problem,
                    "the database has been silent for {} s: requests with tokens are answered 503",
                    SILENCE_MAX.as_secs()
                ),
                Some(problem) if !is_failing => {
                    tracing::warn!(%problem, "reading the changes of other processes failed");
                }
                None if was_refusing => {
                    tracing::info!("the database answers again; requests are answered again");
                }
                _ => {}
            }
            is_failing = problem.is_some();
            metrics().record_run(Task::PollChanges, !is_failing, inner.env.now());
            // A timeout is as good as an announcement.
            let _ = tokio::time::timeout(POLL_INTERVAL, inner.store.changed()).await;
        }
    }
}

impl Inner {
    /// Checks that the caches can be relied on.
    ///
    /// # Errors
    ///
    /// `unavailable` if the files of the database are not in place, or the database has been silent
    /// for too long.
    pub(super) fn ensure_current(&self) -> Result<(), Failure> {
        self.store.ensure_in_place().map_err(internal)?;
        if self.last_heard.is_silent(self.env.clock.elapsed()) {
            // Logged once, when it began.
            return Err(unavailable());
        }
        Ok(())
    }

    /// Returns a session from the cache or the database.
    pub(super) async fn session(&self, id: Uuid) -> Result<Option<Session>, StoreError> {
        self.session_cache.get_or_load(id, async || self.store.session(id).await).await
    }

    /// Reads the blocklist at the start; expired entries, too, as the clock may be ahead.
    pub(super) async fn read_blocklist(&self) -> Result<(), StoreError> {
        self.read_into(&self.blocklist).await
    }

    /// Reads the blocklist again if it did not fit into memory: it may fit by now.
    pub(super) async fn retry_incomplete_blocklist(&self) -> Result<(), StoreError> {
        if self.blocklist.is_complete() {
            return Ok(());
        }
        // Not beside a poll: it must not add to the list that is replaced.
        let _polling = self.changes_position.lock().await;
        self.reload_blocklist().await
    }

    /// Reads the whole blocklist. The former one is in force meanwhile.
    async fn reload_blocklist(&self) -> Result<(), StoreError> {
        let blocklist = Blocklist::default();
        self.read_into(&blocklist).await?;
        self.blocklist.replace(blocklist);
        Ok(())
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
