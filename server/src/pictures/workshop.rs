//! Where pictures are unpacked: off the async threads, and as many at a time as there are cores, so that neither the time nor the
//! memory of others is taken however many come.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

/// Who would wait longer than this for a core is sent away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why no work was done.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// The queue is longer than anybody wants to wait.
    #[error("the queue for pictures is full")]
    Busy {
        /// Seconds after which it will have moved on.
        retry_after: u32,
    },
    /// Whatever works has ended.
    #[error("the work on a picture was not finished")]
    Ended,
}

/// Runs what takes a core for a while.
#[derive(Debug)]
pub struct Workshop {
    desks: Arc<Semaphore>,
}

impl Workshop {
    /// A workshop for a machine with these cores.
    #[must_use]
    pub fn new(cores: usize) -> Self {
        Self { desks: Arc::new(Semaphore::new(cores.max(1))) }
    }

    /// Does some work once a core is free. `None` where it has panicked: of whatever comes from outside, that must not be more
    /// than a refusal.
    ///
    /// # Errors
    ///
    /// [`WorkshopError`]
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, WorkshopError> {
        let desk = tokio::time::timeout(PATIENCE, Arc::clone(&self.desks).acquire_owned());
        let busy = |_| WorkshopError::Busy { retry_after: u32::try_from(PATIENCE.as_secs()).unwrap_or(1) };
        let desk = desk.await.map_err(busy)?.map_err(|_| WorkshopError::Ended)?;
        let span = tracing::Span::current();
        let working = tokio::task::spawn_blocking(move || {
            let _span = span.entered();
            let done = std::panic::catch_unwind(AssertUnwindSafe(work)).ok();
            // Who has hung up meanwhile still holds the desk until here.
            drop(desk);
            done
        });
        working.await.map_err(|_| WorkshopError::Ended)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_no_more_than_a_refusal_and_gives_the_desk_back() {
        let workshop = Workshop::new(1);
        assert_eq!(workshop.run(|| -> u8 { panic!("as a decoder might") }).await.unwrap(), None);
        assert_eq!(workshop.run(|| 1).await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn who_hangs_up_does_not_let_more_work_than_there_are_cores() {
        let workshop = Workshop::new(1);
        let (go_on, waits) = mpsc::channel::<()>();
        let (started, starts) = tokio::sync::oneshot::channel();
        {
            let mut first = std::pin::pin!(workshop.run(move || {
                started.send(()).unwrap();
                waits.recv().unwrap();
            }));
            tokio::select! {
                _ = &mut first => panic!("it waits"),
                begun = starts => begun.unwrap(),
            }
        }
        assert_eq!(workshop.desks.available_permits(), 0);
        go_on.send(()).unwrap();
        assert_eq!(workshop.run(|| 2).await.unwrap(), Some(2));
    }
}
