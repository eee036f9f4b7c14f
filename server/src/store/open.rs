//! Opening the database, and bringing its tables up to date.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, Statement,
};

use super::{
    OpenError, Store, StoreError,
    identity::{DatabaseFiles, FileIdentity},
    journal,
    lock::{DatabaseLock, LockMode},
    migrations, replacement,
    writer::Writer,
};

/// Connections that read at a time. SQLite reads from the page cache: more than the cores have to
/// do gains nothing.
const READERS: u32 = 4;
/// How long a write waits for one of another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Store {
    /// Opens the database at a URL such as `sqlite:///var/lib/gatehouse/gatehouse.sqlite`, makes it
    /// where there is none, and brings its tables up to date.
    ///
    /// One process at a time prepares the database; others wait for it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: what is there is never changed then.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
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
        let connections = Arc::new(AtomicI64::new(0));
        let write = connect(&path, 1, &connections).await.map_err(failed)?;
        // Nothing is left to do where this process has prepared the database. Beside a server of an
        // older version there is.
        migrations::run(&write, &path).await?;
        let read = connect(&path, READERS, &Arc::default()).await.map_err(failed)?;
        // From the first page that it reads on, a connection keeps the journal from being removed.
        read.execute_unprepared("SELECT count(*) FROM sqlite_schema").await.map_err(failed)?;
        let files = DatabaseFiles::record(&path)
            .map_err(|source| OpenError::File { path: path.clone(), source })?;
        let files = Arc::new(files);
        let writer = Writer::start(write.clone(), Arc::clone(&files));
        Ok(Self { read, write, writer, files, connections, lock: Arc::new(lock) })
    }

    /// Opens a database that is there already, for commands that must not make one.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub async fn open_existing(url: &str) -> Result<Self, OpenError> {
        let path = file_of(url)?;
        // Of a restore that was interrupted the database may not be in its place yet.
        if path.exists() || replacement::is_pending(&path) {
            Self::open(url).await
        } else {
            Err(OpenError::Missing { path })
        }
    }

    /// The file of the database at a URL.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unsupported`] where the URL names none.
    pub fn path_of(url: &str) -> Result<PathBuf, OpenError> {
        file_of(url)
    }

    /// Returns a number that changes when another process has written to the database, or may have.
    /// Checks on the way that the database's files are still in their place;
    /// [`Store::ensure_in_place`] tells what came of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn changes_elsewhere(&self) -> Result<i64, StoreError> {
        // A failed check is logged once, and refuses requests until a later one succeeds.
        let _ = self.files.check();
        // The version counts what other connections write (SQLite's documentation of
        // `data_version`): this process writes through this one alone. Versions of two connections
        // cannot be compared, so the number of the connection comes with it, and a connection that
        // is opened by the query itself is asked once more.
        loop {
            let epoch = self.epoch();
            let statement =
                Statement::from_string(self.write.get_database_backend(), "PRAGMA data_version");
            let row = self.write.query_one_raw(statement).await?;
            let row = row.ok_or_else(|| {
                StoreError::Unreadable("PRAGMA data_version answers nothing".into())
            })?;
            let version: i64 = row.try_get_by_index(0)?;
            if epoch == self.epoch() {
                // The version has 32 bits.
                return Ok((epoch << 32) | version);
            }
        }
    }

    /// Counts the moments from which on everything has to be read again.
    fn epoch(&self) -> i64 {
        self.connections.load(Ordering::Acquire).saturating_add(self.files.returns())
    }

    /// Checks that the database's files were in their place when they were last looked at.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where they were not: what is in memory cannot be compared with
    /// the database then.
    pub fn ensure_in_place(&self) -> Result<(), StoreError> {
        self.files.last_check()
    }

    /// Closes the database and moves the journal's content into it.
    pub async fn close(self) {
        // The last connection to close would do it too, but none waits for the other's thread to
        // have ended.
        if let Err(error) = self.write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(%error, "the write-ahead log was not checkpointed; no data is lost, the next start reads it");
        }
        self.leave().await;
    }

    /// Closes the database, which another process may be using: it is not made to wait while the
    /// journal is emptied.
    pub async fn leave(self) {
        for connection in [self.read, self.write] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the database was not closed cleanly; no data is lost");
            }
        }
        // Only now: a process that waits for the lock finds no connection of this one.
        drop(self.lock);
    }
}

/// Makes the database where there is none, checks what an unclean stop has left, and brings the
/// tables up to date. No other process uses the database meanwhile.
async fn prepare(path: &Path, lock: &DatabaseLock) -> Result<(), OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    replacement::finish(path)?;
    let noted = lock.noted();
    let found = FileIdentity::of(path).map_err(failed)?;
    if found.is_none() && noted.is_some() {
        tracing::warn!(path = %path.display(), "the database that was here is gone: an empty one is made");
    }
    if found.is_some() {
        journal::check(path, found == noted).await?;
    }
    create(path)?;
    let connection =
        connect(path, 1, &Arc::default()).await.map_err(|source| open_error(path, source))?;
    let migrated = migrations::run(&connection, path).await;
    let closed = connection.close().await.map_err(|source| open_error(path, source));
    migrated.and(closed)?;
    if let Some(identity) = FileIdentity::of(path).map_err(failed)? {
        lock.note(identity)?;
    }
    Ok(())
}

/// Checks that the database is the file that the other processes use.
fn check_identity(path: &Path, lock: &DatabaseLock) -> Result<(), OpenError> {
    let found = FileIdentity::of(path)
        .map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    if found.is_some() && found == lock.noted() {
        Ok(())
    } else {
        Err(OpenError::Replaced { path: path.to_owned() })
    }
}

/// Tells damage from other failures.
pub(super) fn open_error(path: &Path, source: DbErr) -> OpenError {
    let damaged = ["malformed", "not a database", "file is encrypted"];
    let message = source.to_string();
    let path = path.to_owned();
    if damaged.iter().any(|sign| message.contains(sign)) {
        OpenError::Damaged { path, source }
    } else {
        OpenError::Failed { path, source }
    }
}

/// The file that a URL names.
fn file_of(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() && !path.contains('?') && path != ":memory:" => {
            Ok(PathBuf::from(path))
        }
        _ => Err(OpenError::Unsupported(without_password(url))),
    }
}

/// A URL that may be shown: what stands before the `@` of its authority may be a password.
pub(crate) fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

/// Makes the file before SQLite does, readable by its owner alone: its journal follows it in that.
fn create(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(OpenError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Opens a pool of connections, and counts each that it ever opens.
async fn connect(
    path: &Path,
    connections: u32,
    opened: &Arc<AtomicI64>,
) -> Result<DatabaseConnection, DbErr> {
    // The file is named below, as it is: in a URL some of its characters would mean something else.
    let mut options = ConnectOptions::new("sqlite://gatehouse");
    let path = path.to_owned();
    let opened = Arc::clone(opened);
    options
        .min_connections(1)
        // A file does not tire of a connection, and `changes_elsewhere` counts on being asked on
        // the same one.
        .idle_timeout(None)
        .max_lifetime(None)
        .max_connections(connections)
        .acquire_timeout(BUSY_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_pool_opts(move |options| {
            let opened = Arc::clone(&opened);
            options.after_connect(move |_, _| {
                opened.fetch_add(1, Ordering::AcqRel);
                Box::pin(std::future::ready(Ok(())))
            })
        })
        .map_sqlx_sqlite_opts(move |options| {
            options
                .filename(&path)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                // What was answered is on disk.
                .pragma("synchronous", "FULL")
        });
    Database::connect(options).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AuditEntry, Event, Name, NewUser};
    use std::os::unix::fs::PermissionsExt as _;

    fn url(folder: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
        let path = folder.path().join(name);
        let url = format!("sqlite://{}", path.display());
        (path, url)
    }

    #[tokio::test]
    async fn it_is_made_once_with_its_tables_and_kept_from_others() {
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
            let write = store.write.clone();
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

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        store
            .write
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
    async fn a_damaged_database_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, url) = url(&folder, "gatehouse.sqlite");
        std::fs::write(&path, "this is no database".repeat(1000)).unwrap();
        let error = Store::open(&url).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "this is no database".repeat(1000));
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        let somebody = |number: u128| NewUser {
            id: uuid::Uuid::from_u128(number),
            username: format!("somebody{number}"),
            name: Name {
                key: format!("somebody{number}"),
                skeleton: format!("somebody{number}"),
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
            async move { store.insert_user(somebody(number), entry).await }
        };
        insert(&store, 0).await.unwrap();
        // What SQLite says then is what it says when the disk is full (SQLITE_FULL).
        store.write.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
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
    async fn other_databases_are_refused_without_their_password() {
        for url in [
            "postgres://gate:geheim@db/gatehouse",
            "mysql://gate:geheim@db/x",
            "gatehouse.sqlite",
            "sqlite::memory:",
        ] {
            let error = Store::open(url).await.unwrap_err();
            assert!(matches!(error, OpenError::Unsupported(_)), "{error}");
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
