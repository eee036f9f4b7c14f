//! Opening the database, and bringing its tables up to date.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, Statement};
use sea_orm_migration::MigratorTrait as _;

use super::{OpenError, Store, StoreError, migrations::Migrator, writer::Writer};

/// Connections that read at a time. SQLite reads from the page cache: more than the cores have to do gains nothing.
const READERS: u32 = 4;
/// How long a write waits for one of another process.
const PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// Opens the database at a URL such as `sqlite:///var/lib/gatehouse/gatehouse.sqlite`, makes it where there is none, and
    /// brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: what is there is never changed then.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let path = file_of(url)?;
        create(&path)?;
        let told = |source: DbErr| {
            let damaged = ["malformed", "not a database", "file is encrypted"];
            let message = source.to_string();
            if damaged.iter().any(|sign| message.contains(sign)) {
                OpenError::Damaged { path: path.clone(), source }
            } else {
                OpenError::Failed { path: path.clone(), source }
            }
        };
        let write = connect(&path, 1).await.map_err(told)?;
        if let Some(newest) = unknown_migration(&write).await.map_err(told)? {
            return Err(OpenError::Newer { path, newest });
        }
        Migrator::up(&write, None).await.map_err(told)?;
        let read = connect(&path, READERS).await.map_err(told)?;
        Ok(Self { read, writer: Writer::start(write.clone()), write })
    }

    /// Opens a database that is there already: for whoever only wants to look into it.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub async fn open_existing(url: &str) -> Result<Self, OpenError> {
        let path = file_of(url)?;
        if path.exists() { Self::open(url).await } else { Err(OpenError::Missing { path }) }
    }

    /// A number that changes when another process has written to the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn changes_elsewhere(&self) -> Result<i64, StoreError> {
        // It counts what other connections write (SQLite's documentation of `data_version`): all of ours write through this one.
        let statement = Statement::from_string(self.write.get_database_backend(), "PRAGMA data_version");
        let row = self.write.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("PRAGMA data_version answers nothing".into()))?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Closes the database: what is in the journal goes into the file.
    pub async fn close(self) {
        // The last connection to close would do it too, but none waits for the other's thread to have ended.
        if let Err(error) = self.write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(%error, "the journal was not emptied; nothing is lost, the next start reads it");
        }
        self.leave().await;
    }

    /// Closes the database, which another process may be using: it is not made to wait while the journal is emptied.
    pub async fn leave(self) {
        for connection in [self.read, self.write] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the database was not closed cleanly; nothing is lost");
            }
        }
    }
}

/// The file that a URL names.
fn file_of(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() && !path.contains('?') && path != ":memory:" => Ok(PathBuf::from(path)),
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

async fn connect(path: &Path, connections: u32) -> Result<DatabaseConnection, DbErr> {
    // The file is named below, as it is: in a URL some of its characters would mean something else.
    let mut options = ConnectOptions::new("sqlite://gatehouse");
    let path = path.to_owned();
    options
        .min_connections(1)
        // A file does not tire of a connection, and `changes_elsewhere` counts on being asked on the same one.
        .idle_timeout(None)
        .max_lifetime(None)
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .filename(&path)
                .busy_timeout(PATIENCE)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                // What was answered is on disk.
                .pragma("synchronous", "FULL")
        });
    Database::connect(options).await
}

/// A migration that the database has seen and this program does not know.
async fn unknown_migration(connection: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    let known = Migrator::migrations();
    let is_known = |name: &str| known.iter().any(|migration| migration.name() == name);
    let applied = Migrator::get_migration_models(connection).await?;
    Ok(applied.into_iter().map(|model| model.version).rfind(|name| !is_known(name)))
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
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        }
        let pragma = |name: &'static str| {
            let write = store.write.clone();
            async move {
                let row = write.query_one_raw(sea_orm::Statement::from_string(write.get_database_backend(), name));
                row.await.unwrap().unwrap()
            }
        };
        assert_eq!(pragma("PRAGMA journal_mode").await.try_get_by_index::<String>(0).unwrap(), "wal");
        assert_eq!(pragma("PRAGMA synchronous").await.try_get_by_index::<i64>(0).unwrap(), 2);
        assert_eq!(pragma("PRAGMA foreign_keys").await.try_get_by_index::<i64>(0).unwrap(), 1);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (_, url) = url(&folder, "gatehouse.sqlite");
        let store = Store::open(&url).await.unwrap();
        store.write.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await.unwrap();
        store.close().await;
        let error = Store::open(&url).await.unwrap_err();
        assert!(matches!(&error, OpenError::Newer { newest, .. } if newest == "m9999_future"), "{error}");
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
            name: Name { key: format!("somebody{number}"), skeleton: format!("somebody{number}"), is_ascii: true },
            password_hash: "x".repeat(200),
            nickname: None,
            email: None,
            role: app::api::Role::User,
            created_at: 0,
        };
        let insert = |store: &Store, number| {
            let entry = AuditEntry::of(Event::Registered, 0, app::backend::Origin::default());
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
        assert!(matches!(&error, StoreError::Unavailable(_)) && error.to_string().contains("full"), "{error}");
        for number in 0..kept {
            assert!(store.user(uuid::Uuid::from_u128(number)).await.unwrap().is_some(), "{number}");
        }
        store.close().await;
        let store = Store::open(&url).await.unwrap();
        insert(&store, kept).await.unwrap();
    }

    #[tokio::test]
    async fn other_databases_are_refused_without_their_password() {
        for url in
            ["postgres://gate:geheim@db/gatehouse", "mysql://gate:geheim@db/x", "gatehouse.sqlite", "sqlite::memory:"]
        {
            let error = Store::open(url).await.unwrap_err();
            assert!(matches!(error, OpenError::Unsupported(_)), "{error}");
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
