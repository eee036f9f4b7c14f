//! What is done without anybody asking.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use super::SessionService;
use crate::{files::FileService, tokens::keys::KeyStore};

/// How soon what another process writes is known here: the contract says within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// How often it is written down which tokens were presented: about a second after it was noted.
const FLUSH_INTERVAL: Duration = Duration::from_millis(700);
/// How often what has expired is swept away.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(10);

/// Follows other processes and the key file, writes acknowledgements down and sweeps, for as long
/// as it is polled.
pub async fn run(sessions: SessionService, files: FileService, keys: Arc<KeyStore>) {
    tokio::join!(
        run_periodically(POLL_INTERVAL, "polling the database for changes failed", || sessions
            .poll_changes()),
        run_periodically(POLL_INTERVAL, "polling the key file failed", || {
            // It tells the log itself what it finds.
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

/// Removes what is left of deleted accounts: of those of this process at once, of others, and of
/// what a crash has interrupted, within the interval of cleanups.
async fn finish_deletions(sessions: &SessionService, files: &FileService) {
    loop {
        if let Err(error) = sessions.finish_deletions().await {
            tracing::warn!(%error, "something is left of a deleted account; the next time tries again");
        }
        if let Err(error) = files.sweep().await {
            tracing::warn!(%error, "files of a deleted account are left; the next time tries again");
        }
        // Whether there was a deletion or the time is over makes no difference.
        let _ = tokio::time::timeout(CLEANUP_INTERVAL, sessions.next_deletion()).await;
    }
}

/// Does something again and again. What fails is told, and tried again at the next beat.
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
