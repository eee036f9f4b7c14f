//! What is done about sessions without anybody asking: following other processes, and sweeping.

use std::time::Duration;

use super::SessionService;

/// How soon what another process writes is known here: the contract says within a second.
const FOLLOW: Duration = Duration::from_millis(400);
/// How often it is written down which tokens were presented.
const WRITE_DOWN: Duration = Duration::from_millis(700);
/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_mins(10);

/// Follows the database for as long as it is polled.
pub async fn follow(sessions: SessionService) {
    let mut seen = None;
    let mut beat = tokio::time::interval(FOLLOW);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let read = async {
            let now = sessions.changes_elsewhere().await?;
            if seen.is_some_and(|before| before != now) {
                sessions.read_again().await?;
            }
            Ok::<_, crate::store::StoreError>(now)
        };
        match read.await {
            Ok(now) => seen = Some(now),
            // Each request that needs the database finds out by itself; the next beat tries again.
            Err(error) => tracing::warn!(%error, "the database could not be followed"),
        }
    }
}

/// Writes acknowledgements down for as long as it is polled.
pub async fn write_down(sessions: SessionService) {
    let mut beat = tokio::time::interval(WRITE_DOWN);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = sessions.write_acknowledgements().await {
            tracing::warn!(%error, "acknowledgements could not be written down; the next time tries again");
        }
    }
}

/// Sweeps for as long as it is polled.
pub async fn sweep(sessions: SessionService) {
    let mut beat = tokio::time::interval(SWEEP);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = sessions.sweep().await {
            tracing::warn!(%error, "what has expired could not be swept away; the next time tries again");
        }
    }
}
