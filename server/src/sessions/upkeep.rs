//! What is done without anybody asking.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use super::SessionService;
use crate::{files::FileService, tokens::keys::Keys};

/// How soon what another process writes is known here: the contract says within a second.
const FOLLOW: Duration = Duration::from_millis(400);
/// How often it is written down which tokens were presented: about a second after it was noted.
const WRITE_DOWN: Duration = Duration::from_millis(700);
/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_mins(10);

/// Follows other processes and the key file, writes acknowledgements down and sweeps, for as long
/// as it is polled.
pub async fn run(sessions: SessionService, files: FileService, keys: Arc<Keys>) {
    tokio::join!(
        every(FOLLOW, "polling the database for changes failed", || sessions.follow()),
        every(FOLLOW, "polling the key file failed", || {
            // It tells the log itself what it finds.
            keys.follow();
            std::future::ready(Ok::<_, Infallible>(()))
        }),
        every(WRITE_DOWN, "acknowledgements could not be stored", || sessions
            .write_acknowledgements()),
        every(SWEEP, "cleanup of expired rows failed", || sessions.sweep()),
        every(SWEEP, "cleanup of orphaned objects failed", || files.sweep()),
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
        let _ = tokio::time::timeout(SWEEP, sessions.next_deletion()).await;
    }
}

/// Does something again and again. What fails is told, and tried again at the next beat.
async fn every<F, E>(beat: Duration, trouble: &str, mut work: impl FnMut() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut beat = tokio::time::interval(beat);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(%error, "{trouble}; retrying at the next interval");
        }
    }
}
