//! Argon2id, off the async threads, as many at a time as there are cores.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use tokio::sync::oneshot;

use super::password::Password;
use crate::clock::World;

/// Who would wait longer than this for a core is sent away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of salt (RFC 9106 §3.1).
const SALT_BYTES: usize = 16;
/// Bytes of hash (RFC 9106 §4: 256 bits).
const HASH_BYTES: usize = 32;

/// What a hash costs.
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
    /// The OWASP Password Storage Cheat Sheet's first choice for Argon2id.
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// Why no hash was made.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is longer than anybody wants to wait.
    #[error("the queue for password hashing is full")]
    Busy {
        /// Seconds after which it will have moved on.
        retry_after: u32,
    },
    /// A stored hash that is none.
    #[error("a stored password hash cannot be read: {0}")]
    Unreadable(String),
    /// The hashing itself failed.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// What comparing a password with a stored hash has shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and its hash was made at another cost: here is a new one.
    RightButOutdated(String),
}

/// Hashes passwords.
pub struct Hasher {
    cost: Cost,
    argon2: Argon2<'static>,
    /// To the threads that hash. They end when the hasher is gone.
    work: mpsc::Sender<Work>,
    cores: u32,
    waiting: AtomicU32,
    /// What a hash takes on this machine, in microseconds: a moving average.
    pace: AtomicU64,
    world: World,
}

/// What a hashing thread is to do with its working memory, which it keeps: filling fresh pages costs a sixth of a hash.
type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

impl Hasher {
    /// A hasher for a machine with these cores: each has a thread that goes from one hash to the next without asking anybody.
    ///
    /// # Errors
    ///
    /// [`HashError::Failed`] where the cost is none that Argon2 knows, or the system gives no threads.
    pub fn new(cost: Cost, cores: usize, world: World) -> Result<Self, HashError> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(HASH_BYTES))
            .map_err(|error| HashError::Failed(error.to_string()))?;
        let cores = cores.max(1);
        let (work, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..cores {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("hashing".into())
                .spawn(move || work_off(&queue))
                .map_err(|error| HashError::Failed(error.to_string()))?;
        }
        Ok(Self {
            cost,
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            work,
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            waiting: AtomicU32::new(0),
            pace: AtomicU64::new(10_000),
            world,
        })
    }

    /// A password's hash as a PHC string.
    ///
    /// # Errors
    ///
    /// [`HashError`]
    pub async fn hash(&self, password: &Password) -> Result<String, HashError> {
        let salt: [u8; SALT_BYTES] = self.world.random();
        self.at_a_desk(password.clone(), self.argon2.clone(), move |argon2, password, memory| {
            make(argon2, password, &salt, memory)
        })
        .await
    }

    /// Compares a password with a stored hash. For an account that does not exist (`None`) it costs the same, and is wrong.
    ///
    /// # Errors
    ///
    /// [`HashError`]
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict, HashError> {
        let Some(stored) = stored else {
            self.hash(password).await?;
            return Ok(Verdict::Wrong);
        };
        let unreadable = |error: &dyn std::fmt::Display| HashError::Unreadable(error.to_string());
        let stored = PasswordHash::new(stored).map_err(|error| unreadable(&error))?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return Err(HashError::Unreadable("it has no salt or no hash".into()));
        };
        let params = Params::try_from(&stored).map_err(|error| unreadable(&error))?;
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|error| unreadable(&error))?;
        let version = Version::try_from(stored.version.unwrap_or(0x13)).map_err(|error| unreadable(&error))?;
        let outdated = algorithm != Algorithm::Argon2id
            || version != Version::V0x13
            || Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() } != self.cost;
        let argon2 = Argon2::new(algorithm, version, params);
        let right = self
            .at_a_desk(password.clone(), argon2, move |argon2, password, memory| {
                let mut output = [0; Output::MAX_LENGTH];
                let output = &mut output[..expected.len()];
                fill(argon2, password, &salt, output, memory)?;
                // `Output` compares in constant time.
                Ok(Output::new(output).is_ok_and(|output| output == expected))
            })
            .await?;
        match (right, outdated) {
            (false, _) => Ok(Verdict::Wrong),
            (true, false) => Ok(Verdict::Right),
            (true, true) => self.hash(password).await.map(Verdict::RightButOutdated),
        }
    }

    /// Runs some hashing with working memory, once a core is free, unless that takes longer than anybody wants to wait.
    async fn at_a_desk<T: Send + 'static>(
        &self,
        password: Password,
        argon2: Argon2<'static>,
        hash: impl FnOnce(&Argon2<'_>, &Password, &mut Vec<Block>) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Place::take(&self.waiting);
        let per_hash = Duration::from_micros(self.pace.load(Ordering::Relaxed));
        let expected = per_hash * place.ahead / self.cores;
        if expected > PATIENCE {
            return Err(busy(expected));
        }
        let (start, started) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let clock = Arc::clone(&self.world.clock);
        let span = tracing::Span::current();
        let work: Work = Box::new(move |memory| {
            // Whoever has asked may have given up or gone: then nobody needs the hash.
            if start.send(()).is_err() {
                return;
            }
            let _span = span.entered();
            let before = clock.elapsed();
            let result = hash(&argon2, &password, memory);
            let _ = tell.send((result, clock.elapsed().saturating_sub(before)));
        });
        let ended = |_| HashError::Failed("the hashing thread has ended".into());
        self.work.send(work).map_err(|_| HashError::Failed("there is no hashing thread".into()))?;
        tokio::time::timeout(PATIENCE, started).await.map_err(|_| busy(PATIENCE))?.map_err(ended)?;
        drop(place);
        let (result, took) = told.await.map_err(ended)?;
        self.learn(took);
        result
    }

    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.pace.load(Ordering::Relaxed);
        // A lost update costs nothing: the next hash tells again.
        self.pace.store(before - before / 8 + took / 8, Ordering::Relaxed);
    }
}

/// A place in the queue, given back when its holder has got a core, given up or gone.
struct Place<'a> {
    waiting: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicU32) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy(wait: Duration) -> HashError {
    HashError::Busy { retry_after: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1) }
}

/// The life of a hashing thread. Nothing lies between two hashes but taking the next one: a core that waits for an async thread to
/// hand it over is a core that does not hash.
fn work_off(queue: &Mutex<mpsc::Receiver<Work>>) {
    let mut memory = Vec::new();
    loop {
        // The queue has no invariant that a panic could have broken; whoever waits for the lock waits for work.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A panic is told to whoever has asked, by the answer that never comes; the others still need this thread.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut memory)));
    }
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
        .hash_password_into_with_memory(password.expose().as_bytes(), salt, output, &mut memory[..blocks])
        .map_err(|error| HashError::Failed(error.to_string()))
}

fn make(argon2: &Argon2<'_>, password: &Password, salt: &[u8], memory: &mut Vec<Block>) -> Result<String, HashError> {
    let failed = |error: &dyn std::fmt::Display| HashError::Failed(error.to_string());
    let mut output = [0; HASH_BYTES];
    fill(argon2, password, salt, &mut output, memory)?;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(|error| failed(&error))?,
        salt: Some(Salt::new(salt).map_err(|error| failed(&error))?),
        hash: Some(Output::new(&output).map_err(|error| failed(&error))?),
    }
    .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };

    fn hasher(cost: Cost) -> Hasher {
        Hasher::new(cost, 2, World::system()).expect("a hasher")
    }

    fn password(text: &str) -> Password {
        Password::presented(text.to_owned())
    }

    #[tokio::test]
    async fn a_hash_is_a_phc_string_of_the_promised_cost() {
        let hash = hasher(Cost::default()).hash(&password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        // A library that knows nothing of ours agrees.
        assert!(argon2::PasswordVerifier::verify_password(&Argon2::default(), b"correct horse", hash.as_str()).is_ok());
    }

    #[tokio::test]
    async fn right_wrong_and_unknown() {
        let hasher = hasher(CHEAP);
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        assert_ne!(hash, hasher.hash(&password("correct horse")).await.unwrap(), "each has a salt of its own");
        assert_eq!(hasher.verify(&password("correct horse"), Some(&hash)).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("correct horsf"), Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(&password("correct horse"), None).await.unwrap(), Verdict::Wrong);
        assert!(matches!(hasher.verify(&password("x"), Some("rubbish")).await, Err(HashError::Unreadable(_))));
    }

    #[tokio::test]
    async fn passwords_are_never_truncated() {
        let hasher = hasher(CHEAP);
        let (long, longer) = ("x".repeat(73), format!("{}y", "x".repeat(72)));
        let hash = hasher.hash(&password(&long)).await.unwrap();
        assert_eq!(hasher.verify(&password(&longer), Some(&hash)).await.unwrap(), Verdict::Wrong);
        let hash = hasher.hash(&password("before\0after")).await.unwrap();
        assert_eq!(hasher.verify(&password("before\0other"), Some(&hash)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_made_anew() {
        let old = hasher(CHEAP).hash(&password("correct horse")).await.unwrap();
        let hasher = hasher(Cost { memory: 128, ..CHEAP });
        let Verdict::RightButOutdated(new) = hasher.verify(&password("correct horse"), Some(&old)).await.unwrap()
        else {
            panic!("not noticed");
        };
        assert!(new.contains("m=128"));
        assert_eq!(hasher.verify(&password("correct horse"), Some(&new)).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("wrong"), Some(&old)).await.unwrap(), Verdict::Wrong);
    }

    /// Runs something at a desk, and tells which one it was and what memory was found there.
    async fn visit(hasher: &Hasher) -> (std::thread::ThreadId, usize) {
        let visit = |argon2: &Argon2<'_>, password: &Password, memory: &mut Vec<Block>| {
            let found = memory.len();
            make(argon2, password, b"a salt of 16 byt", memory).map(|_| (std::thread::current().id(), found))
        };
        hasher.at_a_desk(password("correct horse"), hasher.argon2.clone(), visit).await.expect("a hash")
    }

    #[tokio::test]
    async fn each_core_has_a_thread_that_keeps_its_working_memory() {
        let hasher = hasher(CHEAP);
        let visits = futures::future::join_all((0..50).map(|_| visit(&hasher))).await;
        let desks: std::collections::HashSet<_> = visits.iter().map(|(desk, _)| desk).collect();
        assert!((1..=2).contains(&desks.len()), "{desks:?}");
        assert_eq!(visits.iter().filter(|(_, found)| *found == 0).count(), desks.len(), "fresh memory once a desk");
        assert!(visits.iter().all(|(_, found)| [0, 64].contains(found)));
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let hasher = Hasher::new(CHEAP, 1, World::system()).expect("a hasher");
        let broken = |_: &Argon2<'_>, _: &Password, _: &mut Vec<Block>| -> Result<(), HashError> { panic!("broken") };
        let answer = hasher.at_a_desk(password("correct horse"), hasher.argon2.clone(), broken).await;
        assert!(matches!(answer, Err(HashError::Failed(_))), "{answer:?}");
        assert!(hasher.hash(&password("correct horse")).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_hashes_for_those_who_have_gone() {
        let hasher = Hasher::new(CHEAP, 1, World::system()).expect("a hasher");
        let (open, gate) = mpsc::channel::<()>();
        let hold = move |_: &Argon2<'_>, _: &Password, _: &mut Vec<Block>| {
            gate.recv().map_err(|error| HashError::Failed(error.to_string()))
        };
        let mut first = Box::pin(hasher.at_a_desk(password("first"), hasher.argon2.clone(), hold));
        let (tell, told) = mpsc::channel();
        let second = hasher.at_a_desk(password("second"), hasher.argon2.clone(), move |_, _, _| {
            let _ = tell.send(());
            Ok(())
        });
        assert!(futures::poll!(&mut first).is_pending());
        {
            let mut second = Box::pin(second);
            assert!(futures::poll!(&mut second).is_pending(), "behind the first");
        }
        open.send(()).expect("the first waits");
        assert!(first.await.is_ok());
        assert!(hasher.hash(&password("third")).await.is_ok());
        assert!(told.try_recv().is_err(), "the second has gone");
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_sent_away_at_once() {
        let hasher = hasher(CHEAP);
        hasher.pace.store(4_000_000, Ordering::Relaxed);
        hasher.waiting.store(3, Ordering::Relaxed);
        let Err(HashError::Busy { retry_after }) = hasher.hash(&password("correct horse")).await else {
            panic!("let in");
        };
        assert_eq!(retry_after, 6);
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 3, "the place is given back");
    }
}
