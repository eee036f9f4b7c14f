//! The database of a test: a SQLite file, or with `GATEHOUSE_TEST_POSTGRES` a PostgreSQL database of
//! its own on the server of that URL.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait as _, Database};

/// Databases of this process so far.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A PostgreSQL database, dropped with this value.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// Creates a database; [`None`] if the tests run on SQLite.
    pub(crate) fn create() -> Option<Self> {
        let server = std::env::var("GATEHOUSE_TEST_POSTGRES").ok()?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = Self { server, name: format!("test_{}_{number}", std::process::id()) };
        database.administer(format!("CREATE DATABASE {}", database.name)).expect("created");
        Some(database)
    }

    /// Returns the URL of the database.
    pub(crate) fn url(&self) -> String {
        let (server, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (server, _) = server.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{}?{parameters}", self.name)
    }

    /// Runs a statement on the server, on a thread and runtime of its own: the test may be
    /// asynchronous itself.
    fn administer(&self, statement: String) -> Result<(), sea_orm::DbErr> {
        let server = self.server.clone();
        let work = async move {
            let connection = Database::connect(server).await?;
            connection.execute_unprepared(&statement).await?;
            connection.close().await
        };
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(work)
        };
        std::thread::spawn(run).join().expect("no panic")
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // Also with connections of a server that the test has killed or forgotten. A test that
        // fails has reported its own error.
        let _ = self.administer(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
