//! Opens and closes the database and applies migrations.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, sqlx};

use super::{
    Engine, OpenError, Store, StoreError,
    alerts::Alerts,
    connection::{connect, create, file_of, migration_error, open_error},
    group_commit,
    identity::{DatabaseFiles, FileIdentity},
    journal,
    lock::{DatabaseLock, LockMode},
    migrations,
    postgres::{self, Use},
    replacement, serializable,
    signals::Signals,
    strategy::Writer,
};
use crate::clock::Env;

/// Size of the read pool. SQLite reads from the page cache, so more connections than cores gain
/// nothing.
const READERS: u32 = 4;

/// Settings of a connection of SQLite that inserts many rows: a page cache of 1 GiB, which a million
/// accounts fit in, and a checkpoint when the write-ahead log has 1 GiB: each writes most of the
/// database.
const BULK_INSERT: &str = "PRAGMA cache_size = -1048576; PRAGMA wal_autocheckpoint = 262144";

/// Location of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A database of a PostgreSQL server: its URL without password and parameters.
    Server(String),
}

impl Store {
    /// Opens the database at a URL such as `sqlite:///var/lib/gatehouse/gatehouse.sqlite` or
    /// `postgres://user:password@host/database`, and applies pending migrations. A SQLite file is
    /// created if it does not exist.
    ///
    /// One process at a time prepares the database; other processes wait for it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: an existing database is left unchanged.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, postgres::CONNECTIONS).await
    }

    /// Like [`Store::open`], with a maximum number of connections to PostgreSQL.
    pub async fn open_with(url: &str, connections: u32) -> Result<Self, OpenError> {
        if postgres::is_url(url) {
            open_postgres(url, connections).await
        } else {
            open_sqlite(url).await
        }
    }

    /// Lets changes send alerts to the owners of the accounts, where mail is set up.
    #[must_use]
    pub fn with_alerts(mut self, env: Env) -> Self {
        self.alerts = Alerts::on(env);
        self
    }

    /// Opens an existing database, for commands that must not create one.
    pub async fn open_existing(url: &str) -> Result<Self, OpenError> {
        // PostgreSQL databases are created by their administrator.
        if let Place::File(path) = Self::place_of(url)? {
            // After an interrupted restore, the database file may not be in place yet.
            if !path.exists() && !replacement::is_pending(&path) {
                return Err(OpenError::Missing { path });
            }
        }
        Self::open(url).await
    }

    /// Returns where the database of a URL is.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unsupported`] or [`OpenError::Postgres`] if the URL names neither a SQLite file
    /// nor a PostgreSQL database.
    pub fn place_of(url: &str) -> Result<Place, OpenError> {
        if postgres::is_url(url) {
            Ok(Place::Server(postgres::Target::parse(url)?.shown))
        } else {
            Ok(Place::File(file_of(url)?))
        }
    }

    /// Returns the path of a SQLite database, for commands that copy or replace its files.
    ///
    /// # Errors
    ///
    /// [`OpenError::NoFile`] for a PostgreSQL database.
    pub fn path_of(url: &str) -> Result<PathBuf, OpenError> {
        match Self::place_of(url)? {
            Place::File(path) => Ok(path),
            Place::Server(database) => Err(OpenError::NoFile { database }),
        }
    }

    /// Returns whether the database is on a server, where other nodes may use it.
    #[must_use]
    pub fn is_on_server(&self) -> bool {
        matches!(self.engine, Engine::Postgres { .. })
    }

    /// The pool that changes are made on.
    pub(super) fn write(&self) -> &DatabaseConnection {
        match &self.engine {
            Engine::Sqlite { write, .. } | Engine::Postgres { write, .. } => write,
        }
    }

    /// Checks that the last check found the files of a SQLite database in place.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if they were not: caches cannot be validated then.
    pub fn ensure_in_place(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite { files, .. } => files.last_check(),
            Engine::Postgres { .. } => Ok(()),
        }
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it does not, or if its files are not in place.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ensure_in_place()?;
        Ok(self.read.execute_unprepared("SELECT 1").await.map(|_| ())?)
    }

    /// Prepares for inserting many rows by this process. With its default settings SQLite writes
    /// each changed page twice for each commit.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a setting is refused.
    pub async fn prepare_bulk_insert(&self) -> Result<(), StoreError> {
        if let Engine::Sqlite { write, .. } = &self.engine {
            write.execute_unprepared(BULK_INSERT).await?;
        }
        Ok(())
    }

    /// Returns the state of the connection pool for reading.
    #[must_use]
    pub fn read_pool(&self) -> PoolStatus {
        pool_status(&self.read)
    }

    /// Returns the state of the connection pool for changes.
    #[must_use]
    pub fn write_pool(&self) -> PoolStatus {
        pool_status(self.write())
    }

    /// Closes the database and checkpoints SQLite's write-ahead log.
    pub async fn close(self) {
        // SQLite checkpoints when the last connection closes, but neither pool waits for the
        // threads of the other one.
        if let Engine::Sqlite { write, .. } = &self.engine
            && let Err(error) = write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await
        {
            tracing::warn!(%error, "the write-ahead log was not checkpointed; no data is lost, the next start reads it");
        }
        self.close_without_checkpoint().await;
    }

    /// Closes a database that another process may be using, without the wait for a checkpoint.
    pub async fn close_without_checkpoint(self) {
        let write = self.write().clone();
        let follow = match &self.engine {
            Engine::Sqlite { follow, .. } => Some(follow.clone()),
            Engine::Postgres { signals, .. } => {
                signals.flush().await;
                None
            }
        };
        for connection in [Some(self.read), follow, Some(write)].into_iter().flatten() {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the database was not closed cleanly; no data is lost");
            }
        }
        // Last, so that a process that waits for the lock finds no connection of this one.
        drop(self.engine);
    }
}

/// State of a connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open connections.
    pub open: u32,
    /// Those of them that are free.
    pub idle: usize,
    /// Largest number of open connections.
    pub max: u32,
}

fn pool_status(connection: &DatabaseConnection) -> PoolStatus {
    fn of<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> PoolStatus {
        PoolStatus {
            open: pool.size(),
            idle: pool.num_idle(),
            max: pool.options().get_max_connections(),
        }
    }
    match connection.get_database_backend() {
        DbBackend::Postgres => of(connection.get_postgres_connection_pool()),
        _ => of(connection.get_sqlite_connection_pool()),
    }
}

async fn open_sqlite(url: &str) -> Result<Store, OpenError> {
    let path = file_of(url)?;
    let failed = |source: DbErr| open_error(&path, source);
    let (lock, mode) = DatabaseLock::acquire(&path).await?;
    match mode {
        LockMode::Exclusive => {
            prepare(&path, &lock).await?;
            lock.share().await?;
        }
        LockMode::Shared => check_identity(&path, &lock)?,
    }
    let write = connect(&path, 1).await.map_err(failed)?;
    // Does nothing if this process has prepared the database. Beside a running server of an older
    // version it applies the missing migrations.
    migrations::run(&write).await.map_err(|error| migration_error(&path, error))?;
    let read = connect(&path, READERS).await.map_err(failed)?;
    // A connection that has read a page keeps the write-ahead log from being removed.
    read.execute_unprepared("SELECT count(*) FROM sqlite_schema").await.map_err(failed)?;
    let follow = connect(&path, 1).await.map_err(failed)?;
    let files = DatabaseFiles::record(&path)
        .map_err(|source| OpenError::File { path: path.clone(), source })?;
    let files = Arc::new(files);
    let writer =
        Writer::GroupCommit(group_commit::Writer::start(write.clone(), Arc::clone(&files)));
    let engine = Engine::Sqlite { write, follow, files, _lock: Arc::new(lock) };
    Ok(Store { read, writer, engine, alerts: Alerts::default() })
}

/// Half of the connections are for reads, so that a flood of changes does not keep tokens from being
/// checked.
async fn open_postgres(url: &str, connections: u32) -> Result<Store, OpenError> {
    let target = postgres::Target::parse(url)?;
    let migrating = target.connect(1, Use::Migrations).await?;
    let prepared = async {
        target.check(&migrating).await?;
        migrations::run(&migrating).await.map_err(|error| target.migration_error(error))
    };
    let prepared = prepared.await;
    let closed = migrating.close().await.map_err(|error| target.db_error(error));
    prepared.and(closed)?;
    let reads = (connections / 2).max(1);
    let read = target.connect(reads, Use::Reads).await?;
    let write = target.connect((connections - reads).max(1), Use::Changes).await?;
    let signals = Signals::start(target.options());
    let writer = serializable::Writer::new(write.clone(), Arc::clone(&signals));
    let engine = Engine::Postgres { write, signals };
    Ok(Store { read, writer: Writer::Serializable(writer), engine, alerts: Alerts::default() })
}

/// Creates the database if it does not exist, checks it after an unclean stop, and applies
/// migrations. No other process uses the database meanwhile.
async fn prepare(path: &Path, lock: &DatabaseLock) -> Result<(), OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    replacement::finish(path)?;
    let recorded = lock.recorded();
    let found = FileIdentity::of(path).map_err(failed)?;
    if found.is_none() && recorded.is_some() {
        tracing::warn!(path = %path.display(), "the database that was here is gone: an empty one is made");
    }
    if found.is_some() {
        journal::check(path, found == recorded).await?;
    }
    create(path)?;
    let connection = connect(path, 1).await.map_err(|source| open_error(path, source))?;
    let migrated = migrations::run(&connection).await.map_err(|error| migration_error(path, error));
    let closed = connection.close().await.map_err(|source| open_error(path, source));
    migrated.and(closed)?;
    if let Some(identity) = FileIdentity::of(path).map_err(failed)? {
        lock.record(identity)?;
    }
    Ok(())
}

/// Checks that the path still names the file that the other processes have open.
fn check_identity(path: &Path, lock: &DatabaseLock) -> Result<(), OpenError> {
    let found = FileIdentity::of(path)
        .map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    if found.is_some() && found == lock.recorded() {
        Ok(())
    } else {
        Err(OpenError::Replaced { path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::username::Name;
    use crate::store::{AuditEntry, Event, NewUser};
    use std::os::unix::fs::PermissionsExt as _;

    fn url(folder: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
        let path = folder.path().join(name);
        let url = format!("sqlite://{}", path.display());
        (path, url)
    }

    #[tokio::test]
    async fn open_of_new_database_creates_private_files_in_wal_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (path, url) = url(&folder, "odd name #1.sqlite");
        Store::open(&url).await.unwrap().close().await;
        let store = Store::open(&url).await.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(
                file.metadata().unwrap().permissions().mode() & 0o777,
                0o600,
                "{:?}",
                file.file_name()
            );
        }
        let pragma = |name: &'static str| {
            let write = store.write().clone();
            async move {
                let row = write.query_one_raw(sea_orm::Statement::from_string(
                    write.get_database_backend(),
                    name,
                ));
                row.await.unwrap().unwrap()
            }
        };
        assert_eq!(
            pragma("PRAGMA journal_mode").await.try_get_by_index::<String>(0).unwrap(),
            "wal"
        );
        assert_eq!(pragma("PRAGMA synchronous").await.try_get_by_index::<i64>(0).unwrap(), 2);
        assert_eq!(pragma("PRAGMA foreign_keys").await.try_get_by_index::<i64>(0).unwrap(), 1);
        assert!(path.exists());
    }

    /// The option is set in `.cargo/config.toml`.
    #[tokio::test]
    async fn open_of_sqlite_plans_statements_without_the_values_of_their_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        let select = "SELECT 1 FROM pragma_compile_options WHERE compile_options = 'ENABLE_QPSG'";
        let backend = store.read.get_database_backend();
        let found =
            store.read.query_one_raw(sea_orm::Statement::from_string(backend, select)).await;
        assert!(found.unwrap().is_some());
    }

    #[tokio::test]
    async fn open_of_newer_database_fails() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        store
            .write()
            .execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_future', 0)")
            .await
            .unwrap();
        store.close().await;
        let error = Store::open(&url).await.unwrap_err();
        assert!(
            matches!(&error, OpenError::Newer { newest, .. } if newest == "m9999_future"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn open_of_corrupt_database_fails_and_leaves_it_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let (path, url) = url(&folder, "gatehouse.sqlite");
        std::fs::write(&path, "this is no database".repeat(1000)).unwrap();
        let error = Store::open(&url).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "this is no database".repeat(1000));
    }

    #[tokio::test]
    async fn insert_on_full_disk_fails_and_keeps_earlier_rows() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        let new_user = |number: u128| NewUser {
            id: uuid::Uuid::from_u128(number),
            username: format!("user{number}"),
            name: Name {
                key: format!("user{number}"),
                skeleton: format!("user{number}"),
                is_ascii: true,
            },
            password_hash: "x".repeat(200),
            nickname: None,
            email: None,
            role: app::protocol::Role::User,
            created_at: 0,
        };
        let insert = |store: &Store, number| {
            let entry = AuditEntry::of(Event::Registered, 0, app::backend::ClientInfo::default());
            let store = store.clone();
            async move { store.insert_user(new_user(number), entry).await }
        };
        insert(&store, 0).await.unwrap();
        // SQLite reports the same error as for a full disk (SQLITE_FULL).
        store.write().execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let mut kept = 1;
        let error = loop {
            match insert(&store, kept).await {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(&error, StoreError::Unavailable(_)) && error.to_string().contains("full"),
            "{error}"
        );
        for number in 0..kept {
            assert!(store.user(uuid::Uuid::from_u128(number)).await.unwrap().is_some(), "{number}");
        }
        store.close().await;
        let store = Store::open(&url).await.unwrap();
        insert(&store, kept).await.unwrap();
    }

    #[tokio::test]
    async fn open_of_unsupported_url_fails_without_its_password() {
        for url in [
            "postgres://gate:geheim@[db/gatehouse",
            "mysql://gate:geheim@db/x",
            "gatehouse.sqlite",
            "sqlite::memory:",
        ] {
            let error = Store::open(url).await.unwrap_err();
            let is_refused =
                matches!(error, OpenError::Unsupported(_) | OpenError::Postgres { .. });
            assert!(is_refused, "{error}");
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
