//! Queue of password hashes, and the workers that take jobs from it.

use app::backend::ClientInfo;
use argon2::Block;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::fair_queue::FairQueue;
use crate::{metrics::metrics, network::Network};

/// A job for a worker. Workers keep their working memory: touching fresh pages costs a sixth of a
/// hash.
pub(super) type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// The client that a password is hashed for. Each client has a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// The client's network, if known.
    network: Option<Network>,
    /// Limits the number of its waiting jobs; unset for loopback addresses, which may belong to a
    /// proxy that was not configured, and so to all clients.
    pub(super) is_limited: bool,
}

impl Client {
    /// This process.
    pub const LOCAL: Self = Self { network: None, is_limited: false };

    /// The client of a request.
    #[must_use]
    pub fn of(client_info: &ClientInfo) -> Self {
        client_info.address.map_or(Self::LOCAL, |address| Self {
            network: Some(Network::of_client(address)),
            is_limited: !address.to_canonical().is_loopback(),
        })
    }
}

/// The queue, shared by the hasher and its workers.
#[derive(Default)]
pub(super) struct Queue {
    jobs: Mutex<Jobs>,
    /// Notified of new jobs and of shutdown.
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct Jobs {
    pub(super) queue: FairQueue<Client, Work>,
    is_closed: bool,
}

impl Queue {
    pub(super) fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock()
    }

    /// Waits for the next job, after one of a client has finished. `None` after shutdown.
    fn next(&self, finished: Option<Client>) -> Option<(Client, Work)> {
        let mut jobs = self.lock();
        if let Some(client) = finished {
            jobs.queue.finish(&client);
        }
        loop {
            if jobs.is_closed {
                return None;
            }
            if let Some(next) = jobs.queue.pop() {
                return Some(next);
            }
            self.changed.wait(&mut jobs);
        }
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }
}

/// A job in the queue, removed if it is dropped before a worker takes it.
pub(super) struct QueueSlot<'a> {
    queue: &'a Queue,
    client: Client,
    number: u64,
}

impl<'a> QueueSlot<'a> {
    pub(super) fn new(queue: &'a Queue, client: Client, number: u64) -> Self {
        metrics().hashes_waiting.inc();
        Self { queue, client, number }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        metrics().hashes_waiting.dec();
        self.queue.lock().queue.cancel(&self.client, self.number);
    }
}

/// Worker loop. Workers take jobs from the queue themselves: a hand-over through the async runtime
/// would leave cores idle between hashes.
pub(super) fn worker_loop(queue: &Queue) {
    let mut memory = Vec::new();
    let mut finished = None;
    while let Some((client, work)) = queue.next(finished) {
        // A panic fails one job; the worker goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut memory)));
        finished = Some(client);
    }
}
