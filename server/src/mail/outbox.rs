//! The background task that sends the messages of the outbox.
//!
//! Each message is sent once. It may be sent once more if this process ends between sending and
//! deletion, or if the answer of the mail server is lost; both copies have the same `Message-ID`.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use parking_lot::Mutex;
use uuid::Uuid;

use super::{Mailer, SendError, compose::Draft};
use crate::{
    clock::Env,
    metrics::{MailOutcome, metrics},
    store::{AuditEntry, Event, QueuedMessage, Store, StoreError},
};

/// Messages that are sent at the same time, each on a connection of its own.
const BATCH: u64 = 8;
/// Time for which a claimed message is this server's, in seconds: longer than sending can take. A
/// crash delays the message for as long.
pub const LEASE_SECONDS: i64 = 180;
/// Age at which a message is given up, in seconds: a day.
pub const GIVE_UP_SECONDS: i64 = 86_400;
/// Wait before the second attempt, in seconds. It doubles with each further one.
const FIRST_BACKOFF: i64 = 5;
/// Longest wait before another attempt, in seconds: an hour.
const MAX_BACKOFF: i64 = 3600;

/// Sends the messages of the outbox. Clones share their state.
#[derive(Clone)]
pub struct MailService {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    mailer: Mailer,
    env: Env,
    /// Messages that were sent, but could not be deleted yet.
    undeleted: Mutex<HashSet<Uuid>>,
    is_stopping: AtomicBool,
    /// Held while messages are being sent.
    sending: tokio::sync::Mutex<()>,
}

impl MailService {
    /// Makes the service; [`MailService::deliver_due`] sends.
    #[must_use]
    pub fn new(store: Store, mailer: Mailer, env: Env) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                mailer,
                env,
                undeleted: Mutex::default(),
                is_stopping: AtomicBool::new(false),
                sending: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Returns where messages go: host and port, or folder.
    #[must_use]
    pub fn destination(&self) -> &str {
        self.inner.mailer.destination()
    }

    /// Attempts to send all messages that are due.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be read or written. Failures of the mail server are
    /// none: its messages are tried again later.
    pub async fn deliver_due(&self) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let _sending = inner.sending.lock().await;
        inner.delete_sent().await?;
        while !inner.is_stopping.load(Ordering::SeqCst) {
            let now = inner.env.now();
            // Without a transaction while there is nothing to do.
            if !inner.store.is_message_due(now).await? {
                break;
            }
            let lease_end = now.saturating_add(LEASE_SECONDS);
            let claimed = inner.store.claim_messages(now, lease_end, BATCH).await?;
            if claimed.is_empty() {
                // Other servers have them.
                break;
            }
            let outcomes = join_all(claimed.into_iter().map(|message| inner.deliver(message)));
            outcomes.await.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        Ok(())
    }

    /// Updates the metrics of the outbox.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be read.
    pub async fn measure(&self) -> Result<(), StoreError> {
        let waiting = self.inner.store.waiting_messages().await?;
        metrics().mail_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Claims no more messages, and waits for those that are being sent, up to a time limit.
    pub async fn stop(&self, timeout: Duration) {
        self.inner.is_stopping.store(true, Ordering::SeqCst);
        if tokio::time::timeout(timeout, self.inner.sending.lock()).await.is_err() {
            tracing::warn!("messages are still being sent; they may be sent once more");
        }
    }
}

impl Inner {
    async fn deliver(&self, message: QueuedMessage) -> Result<(), StoreError> {
        let QueuedMessage { id, user, ref recipient, ref kind, lang, created_at, attempts, .. } =
            message;
        // Sent before, but not deleted.
        if self.undeleted.lock().contains(&id) {
            return self.delete(id).await;
        }
        let sent = match &message.mail {
            Some(mail) => self.mailer.send(Draft { id, recipient, lang, mail, created_at }).await,
            None => Err(SendError::Temporary("another version has written it".to_owned())),
        };
        let now = self.env.now();
        let error = match sent {
            Ok(()) => {
                metrics().mails.of(MailOutcome::Sent).inc();
                tracing::debug!(mail = %id, kind, "mail was sent");
                self.undeleted.lock().insert(id);
                return self.delete(id).await;
            }
            Err(error) => error,
        };
        let is_old = now.saturating_sub(created_at) >= GIVE_UP_SECONDS;
        let code = match &error {
            SendError::Temporary(_) if !is_old => {
                metrics().mails.of(MailOutcome::Retried).inc();
                let wait = backoff(attempts);
                self.store.retry_message(id, now.saturating_add(wait)).await?;
                tracing::warn!(mail = %id, kind, attempts, wait, %error, "mail was not sent; it is tried again");
                return Ok(());
            }
            SendError::Temporary(_) => None,
            SendError::Permanent { code, .. } => *code,
        };
        metrics().mails.of(MailOutcome::Failed).inc();
        tracing::error!(mail = %id, kind, attempts, %error, "mail was given up");
        // Without the text of the mail server, which often has the address in it.
        let detail = match code {
            Some(code) => format!("{kind} {code}"),
            None if is_old => format!("{kind} expired"),
            None => format!("{kind} invalid_address"),
        };
        let entry = AuditEntry {
            user,
            detail: Some(detail),
            ..AuditEntry::of(Event::MailFailed, now, app::backend::ClientInfo::default())
        };
        self.store.give_up_message(id, entry).await
    }

    /// Deletes a message that was sent.
    async fn delete(&self, id: Uuid) -> Result<(), StoreError> {
        self.store.delete_message(id).await?;
        self.undeleted.lock().remove(&id);
        Ok(())
    }

    /// Deletes messages that could not be deleted after they were sent.
    async fn delete_sent(&self) -> Result<(), StoreError> {
        let undeleted: Vec<_> = self.undeleted.lock().iter().copied().collect();
        for id in undeleted {
            self.delete(id).await?;
        }
        Ok(())
    }
}

/// Returns the wait after an attempt, in seconds: 5 s after the first one, an hour at most.
fn backoff(attempts: i32) -> i64 {
    let doublings = attempts.saturating_sub(1).clamp(0, 30).unsigned_abs();
    FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_from_five_seconds_to_an_hour() {
        let waits: Vec<_> = (1..=13).map(backoff).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
        assert_eq!((backoff(0), backoff(i32::MAX)), (FIRST_BACKOFF, MAX_BACKOFF));
    }
}
