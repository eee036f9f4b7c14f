//! Store of a test: on SQLite, or on a PostgreSQL database of its own.

use std::sync::Arc;

use super::{Store, test_database::PostgresDatabase};
use crate::clock::{Env, ManualClock, SystemRandom};

/// Time at which the clock of the test begins, in seconds of Unix time.
pub(super) const NOW: i64 = 1_800_000_000;

/// A new store, and the clock of its test.
pub(super) struct TestStore {
    pub(super) store: Store,
    pub(super) env: Env,
    pub(super) clock: Arc<ManualClock>,
    /// Dropped after the store.
    _folder: tempfile::TempDir,
    _postgres: Option<PostgresDatabase>,
}

impl TestStore {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = PostgresDatabase::create();
        let url = match &postgres {
            Some(database) => database.url(),
            None => format!("sqlite://{}", folder.path().join("test.sqlite").display()),
        };
        let store = Store::open(&url).await.unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        let env = Env { clock: clock.clone(), rng: Arc::new(SystemRandom) };
        Self { store, env, clock, _folder: folder, _postgres: postgres }
    }
}
