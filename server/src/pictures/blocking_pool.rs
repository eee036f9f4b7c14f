//! Runs work on pictures on threads of their own: as many at a time as there are cores, and no more
//! than the memory budget allows. Their priority is lower than that of the async threads: while
//! uploaded pictures keep every core busy, other requests are answered as soon as they arrive.

use std::{panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};

use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use crate::failure::{ErrorClass, InternalError};

/// Time limit of the wait for a core and for memory.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes per memory permit.
const UNIT: u64 = 1024;
/// Increment of the nice value of a thread that works on a picture (sched(7)): beside threads of
/// the usual priority it gets a tenth of a core, alone all of it.
const NICE: i32 = 10;

/// Error of [`BlockingPool::run`].
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No core or memory became free within the time limit, or no thread could be started.
    #[error("the queue for pictures is full")]
    Busy {
        /// Suggested `Retry-After`, in seconds.
        retry_after: u32,
    },
    /// The work needs more memory than the whole budget.
    #[error("the memory for pictures has no room for this one")]
    TooMuchMemory,
    /// The thread ended without a result.
    #[error("processing of a picture was aborted")]
    Ended,
}

impl InternalError for PoolError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Busy { retry_after } => ErrorClass::Overloaded { retry_after: *retry_after },
            Self::TooMuchMemory | Self::Ended => ErrorClass::Failed,
        }
    }
}

/// Limits concurrent work on pictures.
#[derive(Debug)]
pub struct BlockingPool {
    cores: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    budget: u64,
}

impl BlockingPool {
    /// Creates a pool for this number of cores with a memory budget in bytes.
    #[must_use]
    pub fn new(cores: usize, budget: u64) -> Self {
        let units =
            usize::try_from(budget / UNIT).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            cores: Arc::new(Semaphore::new(cores.max(1))),
            memory: Arc::new(Semaphore::new(units)),
            budget,
        }
    }

    /// Runs work that needs this many bytes of memory, once a core and memory are free. [`None`] if
    /// the work panicked: a file from outside can cause no more than a refusal.
    pub async fn run<T: Send + 'static>(
        &self,
        memory: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, PoolError> {
        let units = memory.div_ceil(UNIT);
        let units = u32::try_from(units).ok().filter(|_| units <= self.budget / UNIT);
        let units = units.ok_or(PoolError::TooMuchMemory)?;
        let permits = timeout(QUEUE_TIMEOUT, async {
            // Memory first: work that waits for memory must not hold a core.
            let memory = Arc::clone(&self.memory).acquire_many_owned(units).await;
            (memory, Arc::clone(&self.cores).acquire_owned().await)
        });
        let busy =
            || PoolError::Busy { retry_after: u32::try_from(QUEUE_TIMEOUT.as_secs()).unwrap_or(1) };
        let (Ok(memory), Ok(core)) = permits.await.map_err(|_| busy())? else {
            return Err(PoolError::Ended);
        };
        let span = tracing::Span::current();
        let (sender, result) = oneshot::channel();
        // A thread for each picture, because the priority of a thread cannot be raised again
        // without privileges. Starting one takes microseconds, decoding milliseconds.
        let started = thread::Builder::new().name("picture".into()).spawn(move || {
            // Where the system refuses, the picture is decoded at the usual priority.
            let _ = rustix::process::nice(NICE);
            let _span = span.entered();
            let done = std::panic::catch_unwind(AssertUnwindSafe(work)).ok();
            // Also after the client has disconnected, the permits are held until the work is done.
            drop((memory, core));
            let _ = sender.send(done);
        });
        started.map_err(|error| {
            tracing::warn!(%error, "no thread can be started for a picture");
            busy()
        })?;
        result.await.map_err(|_| PoolError::Ended)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const BUDGET: u64 = 10 * UNIT;

    #[tokio::test]
    async fn run_with_panicking_work_returns_none_and_gives_permits_back() {
        let pool = BlockingPool::new(1, BUDGET);
        assert_eq!(
            pool.run(BUDGET, || -> u8 { panic!("as a decoder might") }).await.unwrap(),
            None
        );
        assert_eq!(pool.run(BUDGET, || 1).await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn run_lowers_the_priority_of_the_thread_of_the_work_alone() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let during = BlockingPool::new(1, BUDGET).run(UNIT, priority).await.unwrap().unwrap();
        // 19 is the lowest there is.
        assert_eq!((during, priority()), ((before + NICE).min(19), before));
    }

    #[tokio::test]
    async fn run_after_caller_hung_up_waits_for_core_and_memory() {
        let pool = BlockingPool::new(1, BUDGET);
        let (go_on, waits) = mpsc::channel::<()>();
        let (started, starts) = tokio::sync::oneshot::channel();
        {
            let mut first = std::pin::pin!(pool.run(4 * UNIT, move || {
                started.send(()).unwrap();
                waits.recv().unwrap();
            }));
            tokio::select! {
                _ = &mut first => panic!("it waits"),
                begun = starts => begun.unwrap(),
            }
        }
        assert_eq!((pool.cores.available_permits(), pool.memory.available_permits()), (0, 6));
        go_on.send(()).unwrap();
        assert_eq!(pool.run(BUDGET, || 2).await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn run_with_more_memory_than_budget_is_refused() {
        let pool = BlockingPool::new(4, BUDGET);
        let refused = pool.run(BUDGET + 1, || ()).await;
        assert!(matches!(refused, Err(PoolError::TooMuchMemory)), "{refused:?}");
        assert!(pool.run(BUDGET, || ()).await.is_ok());
    }

    #[tokio::test]
    async fn run_beside_work_that_fills_memory_waits_though_cores_are_free() {
        let pool = Arc::new(BlockingPool::new(4, BUDGET));
        let (go_on, waits) = mpsc::channel::<()>();
        let (started, starts) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                let work = move || {
                    started.send(()).unwrap();
                    waits.recv().unwrap();
                };
                pool.run(6 * UNIT, work).await
            }
        });
        starts.await.unwrap();
        let mut second = std::pin::pin!(pool.run(5 * UNIT, || ()));
        assert!(futures::poll!(second.as_mut()).is_pending());
        assert_eq!(pool.cores.available_permits(), 3, "it waits for memory, not for a core");
        go_on.send(()).unwrap();
        assert!(second.await.is_ok() && first.await.unwrap().is_ok());
    }
}
