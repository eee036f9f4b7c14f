//! Password hashing with Argon2id on a worker thread per core. Clients take turns in a fair queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use tokio::sync::oneshot;

pub use super::hash_queue::Client;
use super::hash_queue::{Queue, QueueSlot, Work, worker_loop};
use crate::{
    clock::Env,
    domain::password::Password,
    failure::{ErrorClass, InternalError},
    metrics::{HashRefusal, metrics},
};

/// Longest wait of a job for a worker.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of salt (RFC 9106 §3.1).
const SALT_BYTES: usize = 16;
/// Bytes of hash (RFC 9106 §4: 256 bits).
const HASH_BYTES: usize = 32;

/// Cost parameters of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// The first choice of the OWASP Password Storage Cheat Sheet for Argon2id.
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// Error of password hashing.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A job would wait for longer than five seconds.
    #[error("the queue for password hashing is full")]
    Busy {
        /// Seconds after which the queue is expected to have drained.
        retry_after: u32,
    },
    /// The client has reached its limit of waiting jobs.
    #[error("too many passwords of one address wait for hashing")]
    ClientBusy {
        /// Seconds after which the client's jobs are expected to be done.
        retry_after: u32,
    },
    /// A stored hash is not a valid PHC string.
    #[error("a stored password hash cannot be read: {0}")]
    Unreadable(String),
    /// Hashing failed.
    #[error("hashing failed: {0}")]
    Failed(String),
}

impl InternalError for HashError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Busy { retry_after } => ErrorClass::Overloaded { retry_after: *retry_after },
            Self::ClientBusy { retry_after } => {
                ErrorClass::ClientBusy { retry_after: *retry_after }
            }
            Self::Unreadable(_) | Self::Failed(_) => ErrorClass::Failed,
        }
    }
}

/// Result of comparing a password with a stored hash.
#[derive(Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    /// The password differs.
    Mismatch,
    /// The password matches.
    Match,
    /// The password matches, and its hash was made with other cost parameters: here is a new one.
    MatchOutdated(String),
}

/// Hashes and verifies passwords on worker threads.
pub struct Hasher {
    cost: Cost,
    argon2: Argon2<'static>,
    queue: Arc<Queue>,
    cores: u32,
    /// Largest number of waiting jobs of a client; `None` for no limit.
    per_client: Option<u32>,
    /// Moving average of the time a hash takes on this machine, in microseconds.
    mean_hash_time: AtomicU64,
    env: Env,
}

impl Hasher {
    /// Starts a worker thread for each core.
    ///
    /// # Errors
    ///
    /// [`HashError::Failed`] if Argon2 rejects the cost, or the system cannot start threads.
    pub fn new(cost: Cost, cores: usize, env: Env) -> Result<Self, HashError> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(HASH_BYTES))
            .map_err(|error| HashError::Failed(error.to_string()))?;
        let cores = cores.max(1);
        let queue = Arc::new(Queue::default());
        for _ in 0..cores {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("hashing".into())
                .spawn(move || worker_loop(&queue))
                .map_err(|error| HashError::Failed(error.to_string()))?;
        }
        Ok(Self {
            cost,
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            queue,
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            per_client: None,
            mean_hash_time: AtomicU64::new(10_000),
            env,
        })
    }

    /// Sets the largest number of waiting jobs of a client.
    #[must_use]
    pub fn with_limit(mut self, per_client: Option<u32>) -> Self {
        self.per_client = per_client;
        self
    }

    /// Hashes a password into a PHC string.
    ///
    /// # Errors
    ///
    /// [`HashError`] if the queue is full, the wait is too long, or hashing fails.
    pub async fn hash(&self, password: &Password, client: Client) -> Result<String, HashError> {
        let salt: [u8; SALT_BYTES] = self.env.random();
        self.run_on_worker(
            client,
            password.clone(),
            self.argon2.clone(),
            move |argon2, password, memory| make(argon2, password, &salt, memory),
        )
        .await
    }

    /// Compares a password with a stored hash. Without an account (`None`) it takes as long, and
    /// never matches.
    ///
    /// # Errors
    ///
    /// [`HashError`] if the queue is full, the wait is too long, or hashing fails.
    pub async fn verify(
        &self,
        password: &Password,
        stored: Option<&str>,
        client: Client,
    ) -> Result<PasswordMatch, HashError> {
        let Some(stored) = stored else {
            self.hash(password, client).await?;
            return Ok(PasswordMatch::Mismatch);
        };
        let unreadable = |error: &dyn std::fmt::Display| HashError::Unreadable(error.to_string());
        let stored = PasswordHash::new(stored).map_err(|error| unreadable(&error))?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return Err(HashError::Unreadable("it has no salt or no hash".into()));
        };
        let params = Params::try_from(&stored).map_err(|error| unreadable(&error))?;
        let algorithm =
            Algorithm::try_from(stored.algorithm.as_str()).map_err(|error| unreadable(&error))?;
        let version = Version::try_from(stored.version.unwrap_or(0x13))
            .map_err(|error| unreadable(&error))?;
        let outdated = algorithm != Algorithm::Argon2id
            || version != Version::V0x13
            || Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
                != self.cost;
        let argon2 = Argon2::new(algorithm, version, params);
        let right = self
            .run_on_worker(client, password.clone(), argon2, move |argon2, password, memory| {
                let mut output = [0; Output::MAX_LENGTH];
                let output = &mut output[..expected.len()];
                fill(argon2, password, &salt, output, memory)?;
                // `Output` compares in constant time.
                Ok(Output::new(output).is_ok_and(|output| output == expected))
            })
            .await?;
        match (right, outdated) {
            (false, _) => Ok(PasswordMatch::Mismatch),
            (true, false) => Ok(PasswordMatch::Match),
            (true, true) => self.hash(password, client).await.map(PasswordMatch::MatchOutdated),
        }
    }

    /// Runs a job on a worker, once it is the client's turn.
    async fn run_on_worker<T: Send + 'static>(
        &self,
        client: Client,
        password: Password,
        argon2: Argon2<'static>,
        hash: impl FnOnce(&Argon2<'_>, &Password, &mut Vec<Block>) -> Result<T, HashError>
        + Send
        + 'static,
    ) -> Result<T, HashError> {
        let (start, started) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let clock = Arc::clone(&self.env.clock);
        let queued_at = clock.elapsed();
        let span = tracing::Span::current();
        let work: Work = Box::new(move |memory| {
            // The request timed out or was cancelled: the hash is not needed.
            if start.send(()).is_err() {
                return;
            }
            let _span = span.entered();
            let before = clock.elapsed();
            metrics().hash_wait.observe(before.saturating_sub(queued_at).as_secs_f64());
            let result = hash(&argon2, &password, memory);
            let _ = tell.send((result, clock.elapsed().saturating_sub(before)));
        });
        let ticket = self.enqueue(client, work)?;
        let ended = |_| HashError::Failed("the worker thread has failed".into());
        tokio::time::timeout(QUEUE_TIMEOUT, started)
            .await
            .map_err(|_| {
                metrics().hashes_refused.of(HashRefusal::Overloaded).inc();
                busy(QUEUE_TIMEOUT)
            })?
            .map_err(ended)?;
        drop(ticket);
        let (result, took) = told.await.map_err(ended)?;
        self.record_hash_time(took);
        result
    }

    /// Adds a job to the queue, unless the client has reached its limit or the expected wait is too
    /// long.
    fn enqueue(&self, client: Client, work: Work) -> Result<QueueSlot<'_>, HashError> {
        let per_hash = Duration::from_micros(self.mean_hash_time.load(Ordering::Relaxed));
        let mut jobs = self.queue.lock();
        let ahead = u32::try_from(jobs.queue.ahead(&client)).unwrap_or(u32::MAX);
        let expected = per_hash.saturating_mul(ahead) / self.cores;
        if client.is_limited
            && self.per_client.is_some_and(|limit| jobs.queue.waiting(&client) >= limit as usize)
        {
            metrics().hashes_refused.of(HashRefusal::Client).inc();
            return Err(HashError::ClientBusy { retry_after: seconds(expected) });
        }
        if expected > QUEUE_TIMEOUT {
            metrics().hashes_refused.of(HashRefusal::Overloaded).inc();
            return Err(busy(expected));
        }
        let number = jobs.queue.push(client, work);
        drop(jobs);
        self.queue.changed.notify_one();
        Ok(QueueSlot::new(&self.queue, client, number))
    }

    fn record_hash_time(&self, took: Duration) {
        metrics().hash_duration.observe(took.as_secs_f64());
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.mean_hash_time.load(Ordering::Relaxed);
        // A lost update is harmless: the next hash corrects the average.
        self.mean_hash_time.store(before - before / 8 + took / 8, Ordering::Relaxed);
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn busy(wait: Duration) -> HashError {
    HashError::Busy { retry_after: seconds(wait) }
}

/// Whole seconds to wait, at least one.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1)
}

fn fill(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Vec<Block>,
) -> Result<(), HashError> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    argon2
        .hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            output,
            &mut memory[..blocks],
        )
        .map_err(|error| HashError::Failed(error.to_string()))
}

fn make(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> Result<String, HashError> {
    let mut output = [0; HASH_BYTES];
    fill(argon2, password, salt, &mut output, memory)?;
    phc(argon2.params(), salt, &output)
}

/// Returns a hash that is checked like any other, and that no password has: its bytes are random.
///
/// # Errors
///
/// [`HashError::Failed`] if Argon2 rejects the cost.
pub fn unusable_hash(env: &Env) -> Result<String, HashError> {
    let failed = |error: &dyn std::fmt::Display| HashError::Failed(error.to_string());
    let Cost { memory, passes, lanes } = Cost::default();
    let params =
        Params::new(memory, passes, lanes, Some(HASH_BYTES)).map_err(|error| failed(&error))?;
    phc(&params, &env.random::<SALT_BYTES>(), &env.random::<HASH_BYTES>())
}

/// Returns a hash of the current kind as a PHC string.
fn phc(params: &Params, salt: &[u8], output: &[u8]) -> Result<String, HashError> {
    let failed = |error: &dyn std::fmt::Display| HashError::Failed(error.to_string());
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|error| failed(&error))?,
        salt: Some(Salt::new(salt).map_err(|error| failed(&error))?),
        hash: Some(Output::new(output).map_err(|error| failed(&error))?),
    }
    .to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use app::backend::ClientInfo;
    use parking_lot::Mutex;

    use super::*;

    static PASSWORD: std::sync::LazyLock<Password> =
        std::sync::LazyLock::new(|| password("correct horse"));
    const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn hasher(cost: Cost) -> Hasher {
        Hasher::new(cost, 2, Env::system()).expect("a hasher")
    }

    fn password(text: &str) -> Password {
        Password::presented(text.to_owned())
    }

    #[tokio::test]
    async fn hash_of_password_is_phc_string_with_default_cost() {
        let hash =
            hasher(Cost::default()).hash(&password("correct horse"), Client::LOCAL).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        // An independent implementation agrees.
        assert!(
            argon2::PasswordVerifier::verify_password(
                &Argon2::default(),
                b"correct horse",
                hash.as_str()
            )
            .is_ok()
        );
    }

    #[tokio::test]
    async fn verify_right_wrong_and_unknown_password_tells_them_apart() {
        let hasher = hasher(CHEAP);
        let hash = hasher.hash(&password("correct horse"), Client::LOCAL).await.unwrap();
        assert_ne!(
            hash,
            hasher.hash(&password("correct horse"), Client::LOCAL).await.unwrap(),
            "each has a salt of its own"
        );
        assert_eq!(
            hasher.verify(&password("correct horse"), Some(&hash), Client::LOCAL).await.unwrap(),
            PasswordMatch::Match
        );
        assert_eq!(
            hasher.verify(&password("correct horsf"), Some(&hash), Client::LOCAL).await.unwrap(),
            PasswordMatch::Mismatch
        );
        assert_eq!(
            hasher.verify(&password("correct horse"), None, Client::LOCAL).await.unwrap(),
            PasswordMatch::Mismatch
        );
        assert!(matches!(
            hasher.verify(&password("x"), Some("rubbish"), Client::LOCAL).await,
            Err(HashError::Unreadable(_))
        ));
    }

    #[tokio::test]
    async fn verify_long_passwords_compares_every_byte() {
        let hasher = hasher(CHEAP);
        let (long, longer) = ("x".repeat(73), format!("{}y", "x".repeat(72)));
        let hash = hasher.hash(&password(&long), Client::LOCAL).await.unwrap();
        assert_eq!(
            hasher.verify(&password(&longer), Some(&hash), Client::LOCAL).await.unwrap(),
            PasswordMatch::Mismatch
        );
        let hash = hasher.hash(&password("before\0after"), Client::LOCAL).await.unwrap();
        assert_eq!(
            hasher.verify(&password("before\0other"), Some(&hash), Client::LOCAL).await.unwrap(),
            PasswordMatch::Mismatch
        );
    }

    #[tokio::test]
    async fn verify_hash_of_another_cost_returns_new_hash() {
        let old = hasher(CHEAP).hash(&password("correct horse"), Client::LOCAL).await.unwrap();
        let hasher = hasher(Cost { memory: 128, ..CHEAP });
        let PasswordMatch::MatchOutdated(new) =
            hasher.verify(&password("correct horse"), Some(&old), Client::LOCAL).await.unwrap()
        else {
            panic!("not noticed");
        };
        assert!(new.contains("m=128"));
        assert_eq!(
            hasher.verify(&password("correct horse"), Some(&new), Client::LOCAL).await.unwrap(),
            PasswordMatch::Match
        );
        assert_eq!(
            hasher.verify(&password("wrong"), Some(&old), Client::LOCAL).await.unwrap(),
            PasswordMatch::Mismatch
        );
    }

    /// Runs a job and returns its thread and whether the memory was kept.
    async fn visit(hasher: &Hasher) -> (std::thread::ThreadId, usize) {
        let visit = |argon2: &Argon2<'_>, password: &Password, memory: &mut Vec<Block>| {
            let found = memory.len();
            make(argon2, password, b"a salt of 16 byt", memory)
                .map(|_| (std::thread::current().id(), found))
        };
        hasher
            .run_on_worker(Client::LOCAL, password("correct horse"), hasher.argon2.clone(), visit)
            .await
            .expect("a hash")
    }

    #[tokio::test]
    async fn run_on_worker_reuses_one_thread_and_memory_per_core() {
        let hasher = hasher(CHEAP);
        let visits = futures::future::join_all((0..50).map(|_| visit(&hasher))).await;
        let threads: std::collections::HashSet<_> =
            visits.iter().map(|(thread, _)| thread).collect();
        assert!((1..=2).contains(&threads.len()), "{threads:?}");
        assert_eq!(
            visits.iter().filter(|(_, found)| *found == 0).count(),
            threads.len(),
            "fresh memory once a thread"
        );
        assert!(visits.iter().all(|(_, found)| [0, 64].contains(found)));
        assert_eq!(hasher.queue.lock().queue.waiting(&Client::LOCAL), 0);
    }

    #[tokio::test]
    async fn run_on_worker_with_panicking_job_fails_that_job_alone() {
        let hasher = Hasher::new(CHEAP, 1, Env::system()).expect("a hasher");
        let broken = |_: &Argon2<'_>, _: &Password, _: &mut Vec<Block>| -> Result<(), HashError> {
            panic!("broken")
        };
        let answer = hasher
            .run_on_worker(Client::LOCAL, password("correct horse"), hasher.argon2.clone(), broken)
            .await;
        assert!(matches!(answer, Err(HashError::Failed(_))), "{answer:?}");
        assert!(hasher.hash(&password("correct horse"), Client::LOCAL).await.is_ok());
    }

    #[tokio::test]
    async fn hash_of_cancelled_request_is_skipped() {
        let hasher = Hasher::new(CHEAP, 1, Env::system()).expect("a hasher");
        let (open, gate) = mpsc::channel::<()>();
        let hold = move |_: &Argon2<'_>, _: &Password, _: &mut Vec<Block>| {
            gate.recv().map_err(|error| HashError::Failed(error.to_string()))
        };
        let mut first = Box::pin(hasher.run_on_worker(
            Client::LOCAL,
            password("first"),
            hasher.argon2.clone(),
            hold,
        ));
        let (tell, told) = mpsc::channel();
        let second = hasher.run_on_worker(
            Client::LOCAL,
            password("second"),
            hasher.argon2.clone(),
            move |_, _, _| {
                let _ = tell.send(());
                Ok(())
            },
        );
        assert!(futures::poll!(&mut first).is_pending());
        {
            let mut second = Box::pin(second);
            assert!(futures::poll!(&mut second).is_pending(), "behind the first");
        }
        open.send(()).expect("the first waits");
        assert!(first.await.is_ok());
        assert!(hasher.hash(&password("third"), Client::LOCAL).await.is_ok());
        assert!(told.try_recv().is_err(), "the second has gone");
    }

    /// Keeps the workers busy until the sender is dropped.
    fn occupy(hasher: &Hasher, client: Client) -> mpsc::Sender<()> {
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let workers = hasher.cores;
        let (tell, told) = mpsc::channel();
        for _ in 0..workers {
            let (gate, tell) = (Arc::clone(&gate), tell.clone());
            let work: Work = Box::new(move |_| {
                tell.send(()).unwrap();
                let _ = gate.lock().recv();
            });
            std::mem::forget(hasher.enqueue(client, work).expect("let in"));
        }
        for _ in 0..workers {
            told.recv().unwrap();
        }
        open
    }

    fn client(address: &str) -> Client {
        Client::of(&ClientInfo { address: Some(address.parse().unwrap()), ..ClientInfo::default() })
    }

    #[tokio::test]
    async fn hash_with_long_expected_wait_is_rejected_for_its_client_alone() {
        let hasher = Hasher::new(CHEAP, 1, Env::system()).expect("a hasher");
        let (flooding, other) = (client("192.0.2.1"), client("192.0.2.2"));
        let open = occupy(&hasher, flooding);
        hasher.mean_hash_time.store(2_000_000, Ordering::Relaxed);
        let tickets: Vec<_> =
            (0..3).map(|_| hasher.enqueue(flooding, Box::new(|_| {})).expect("let in")).collect();
        let Err(HashError::Busy { retry_after }) =
            hasher.hash(&password("correct horse"), flooding).await
        else {
            panic!("let in");
        };
        assert_eq!(retry_after, 6);
        let mut hash = Box::pin(hasher.hash(&PASSWORD, other));
        assert!(futures::poll!(&mut hash).is_pending());
        assert_eq!(
            hasher.queue.lock().queue.ahead(&other),
            2,
            "its own, and one of the other client"
        );
        drop(tickets);
        assert_eq!(
            hasher.queue.lock().queue.waiting(&flooding),
            0,
            "what is not waited for is not hashed"
        );
        drop(open);
        assert!(hash.await.is_ok());
    }

    #[tokio::test]
    async fn hash_beyond_client_limit_is_rejected_for_that_client_alone() {
        let hasher = Hasher::new(CHEAP, 1, Env::system()).expect("a hasher").with_limit(Some(2));
        let flooding = client("2001:db8::1");
        let open = occupy(&hasher, Client::LOCAL);
        let _tickets: Vec<_> =
            (0..2).map(|_| hasher.enqueue(flooding, Box::new(|_| {})).expect("let in")).collect();
        for same in ["2001:db8::1", "2001:db8::ffff:1"] {
            let refused = hasher.hash(&password("correct horse"), client(same)).await;
            assert!(
                matches!(refused, Err(HashError::ClientBusy { retry_after: 1 })),
                "{refused:?}"
            );
        }
        let others =
            [client("2001:db8:0:1::1"), client("192.0.2.1"), client("127.0.0.1"), Client::LOCAL];
        let mut waiting: Vec<_> = others
            .iter()
            .flat_map(|other| [*other; 2])
            .map(|other| Box::pin(hasher.hash(&PASSWORD, other)))
            .collect();
        for hash in &mut waiting {
            assert!(futures::poll!(hash).is_pending());
        }
        let one_more = hasher.hash(&PASSWORD, client("127.0.0.1"));
        drop(open);
        assert!(futures::future::try_join_all(waiting).await.is_ok());
        assert!(one_more.await.is_ok(), "this machine's own address may be a proxy's");
    }
}
