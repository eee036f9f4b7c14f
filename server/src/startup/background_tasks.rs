//! Periodic background tasks.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use crate::{files::FileService, sessions::SessionService, tokens::keys::KeyStore};

/// Interval of polling for changes of other processes, which must be visible within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// Interval of writing acknowledgements: at most about a second after they were recorded.
const FLUSH_INTERVAL: Duration = Duration::from_millis(700);
/// Interval of deleting expired rows and orphaned objects.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(10);

/// Runs all background tasks until it is dropped.
pub(super) async fn run(sessions: SessionService, files: FileService, keys: Arc<KeyStore>) {
    tokio::join!(
        run_periodically(POLL_INTERVAL, "polling the database for changes failed", || sessions
            .poll_changes()),
        run_periodically(POLL_INTERVAL, "polling the key file failed", || {
            // It logs what it finds.
            keys.reload_if_changed();
            std::future::ready(Ok::<_, Infallible>(()))
        }),
        run_periodically(FLUSH_INTERVAL, "acknowledgements could not be stored", || sessions
            .write_acknowledgements()),
        run_periodically(CLEANUP_INTERVAL, "cleanup of expired rows failed", || sessions
            .delete_expired()),
        run_periodically(CLEANUP_INTERVAL, "cleanup of orphaned objects failed", || files.sweep()),
        finish_deletions(&sessions, &files),
    );
}

/// Finishes deletions of accounts: at once for this process, within the cleanup interval for other
/// processes and after a crash.
async fn finish_deletions(sessions: &SessionService, files: &FileService) {
    loop {
        if let Err(error) = sessions.finish_deletions().await {
            tracing::warn!(%error, "something is left of a deleted account; the next time tries again");
        }
        if let Err(error) = files.sweep().await {
            tracing::warn!(%error, "files of a deleted account are left; the next time tries again");
        }
        // A timeout is as good as a notification.
        let _ = tokio::time::timeout(CLEANUP_INTERVAL, sessions.next_deletion()).await;
    }
}

/// Runs a task at an interval. Errors are logged, and the task runs again at the next interval.
async fn run_periodically<F, E>(interval: Duration, failure: &str, mut work: impl FnMut() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut interval = tokio::time::interval(interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(%error, "{failure}; retrying at the next interval");
        }
    }
}
