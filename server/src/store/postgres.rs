//! Connections to PostgreSQL: its URL, its sessions, and its errors.

use std::time::Duration;

use sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector,
    sqlx::{
        self, ConnectOptions as _, Connection as _, Executor as _, Row as _,
        postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
    },
};

use super::{OpenError, migrations::MigrationError};

/// Default number of connections of a process.
pub(super) const CONNECTIONS: u32 = 16;
/// Oldest supported version, as PostgreSQL numbers them.
const OLDEST_VERSION: i32 = 150_000;
/// Time limit of the wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Settings of every session. A statement that waits for a lock ends before the request does, and a
/// process that hangs in a transaction does not keep its locks. A change is on disk when it is
/// answered, also where the server's default says otherwise.
const SESSION: &str = "SET statement_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '15s'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
/// Setting of the sessions that changes are made in: `BEGIN` needs no second statement then.
const SERIALIZABLE: &str =
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE";

/// Settings of the sessions that read. A search for a frequent word is another query than one for a
/// rare word: with a plan for any values, or with the start of parallel workers, it takes ten times
/// as long. A bitmap scan reads all entries of the index that match before it returns the first row,
/// although only some thousands are asked for.
const READS: &str = "SET plan_cache_mode = 'force_custom_plan'; \
     SET max_parallel_workers_per_gather = 0; \
     SET enable_bitmapscan = off";

/// Use of the connections of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Single queries.
    Reads,
    /// Changes: the sessions are serializable.
    Changes,
    /// Migrations: without a time limit of statements.
    Migrations,
}

/// Error of opening a PostgreSQL database.
#[derive(Debug, thiserror::Error)]
pub enum PostgresProblem {
    /// The URL is not one.
    #[error(
        "GATEHOUSE_DATABASE_URL is not valid ({0}); it looks like postgres://user:password@host:5432/database"
    )]
    Url(String),
    /// No server answers.
    #[error(
        "it cannot be reached ({0}); check host and port in GATEHOUSE_DATABASE_URL, and that PostgreSQL is running"
    )]
    Unreachable(String),
    /// TLS fails.
    #[error("TLS fails ({0}); check sslmode and sslrootcert in GATEHOUSE_DATABASE_URL")]
    Tls(String),
    /// User or password are wrong, or `pg_hba.conf` admits them not from here.
    #[error("PostgreSQL does not accept the user or the password of GATEHOUSE_DATABASE_URL ({0})")]
    Login(String),
    /// There is no such database.
    #[error("there is no such database; create it with CREATE DATABASE, or correct its name")]
    NoDatabase,
    /// The user lacks a right.
    #[error(
        "its user lacks a right ({0}); make it the owner of the database, or GRANT USAGE, CREATE ON SCHEMA public to it"
    )]
    Rights(String),
    /// All connections are taken.
    #[error(
        "all its connections are taken ({0}); raise max_connections of PostgreSQL, or lower GATEHOUSE_DATABASE_CONNECTIONS"
    )]
    Connections(String),
    /// The server starts or stops.
    #[error("it is not ready ({0}); start again in a moment")]
    NotReady(String),
    /// The server is a standby, or read-only.
    #[error(
        "it is a standby or read-only, and takes no changes; name the primary in GATEHOUSE_DATABASE_URL"
    )]
    ReadOnly,
    /// The server is too old.
    #[error("it is PostgreSQL {0}, and 15 or newer is needed")]
    TooOld(String),
    /// The database cannot keep all characters.
    #[error("its encoding is {0}; create it with ENCODING 'UTF8' TEMPLATE template0")]
    Encoding(String),
    /// Any other error.
    #[error("{0}")]
    Other(DbErr),
}

/// Returns whether a URL names a PostgreSQL database.
pub(super) fn is_url(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Connection parameters of a database.
#[derive(Clone, Debug)]
pub(super) struct Target {
    options: PgConnectOptions,
    /// Its URL, without password and parameters.
    pub(super) shown: String,
}

impl Target {
    /// Parses a URL.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            let error = match error {
                sqlx::Error::Configuration(error) => error.to_string(),
                error => error.to_string(),
            };
            OpenError::Postgres {
                database: "of GATEHOUSE_DATABASE_URL".to_owned(),
                problem: PostgresProblem::Url(error),
            }
        })?;
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        let shown = format!(
            "postgres://{}@{host}:{}/{database}",
            options.get_username(),
            options.get_port()
        );
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("gatehouse"),
        };
        Ok(Self { options: options.disable_statement_logging(), shown })
    }

    /// Returns the options of single connections.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Opens a pool; its first connection must succeed.
    pub(super) async fn connect(
        &self,
        connections: u32,
        purpose: Use,
    ) -> Result<DatabaseConnection, OpenError> {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(CONNECT_TIMEOUT)
            // A restart of the database cuts its connections. A change finds that out when it begins,
            // and begins again on another one; a query would fail.
            .test_before_acquire(purpose == Use::Reads)
            .after_connect(move |connection, _| Box::pin(prepare(connection, purpose)));
        // Not through the pool, which tries again until its time is over, whatever the error is.
        let mut first = self.options.connect().await.map_err(|error| self.open_error(error))?;
        prepare(&mut first, purpose).await.map_err(|error| self.open_error(error))?;
        // An error here does not matter: the connection was usable.
        let _ = first.close().await;
        let pool = pool
            .connect_with(self.options.clone())
            .await
            .map_err(|error| self.open_error(error))?;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
    }

    /// Checks that the server can be used: version, encoding, and that it takes changes.
    pub(super) async fn check(&self, connection: &DatabaseConnection) -> Result<(), OpenError> {
        let found = sqlx::query(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
             current_setting('server_encoding')",
        )
        .fetch_one(connection.get_postgres_connection_pool());
        let row = found.await.map_err(|error| self.open_error(error))?;
        let version: i32 = row.get(0);
        if version < OLDEST_VERSION {
            return Err(self.problem(PostgresProblem::TooOld(row.get(1))));
        }
        let encoding: String = row.get(2);
        if encoding != "UTF8" {
            return Err(self.problem(PostgresProblem::Encoding(encoding)));
        }
        Ok(())
    }

    pub(super) fn migration_error(&self, error: MigrationError) -> OpenError {
        error.into_open_error(self.shown.clone(), |source| self.db_error(source))
    }

    /// Converts an error of a query while the database is opened.
    pub(super) fn db_error(&self, error: DbErr) -> OpenError {
        let problem = match driver_error(&error) {
            Some(driver) => problem(driver),
            None => None,
        };
        self.problem(problem.unwrap_or(PostgresProblem::Other(error)))
    }

    fn open_error(&self, error: sqlx::Error) -> OpenError {
        self.problem(problem(&error).unwrap_or_else(|| {
            PostgresProblem::Other(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
        }))
    }

    fn problem(&self, problem: PostgresProblem) -> OpenError {
        OpenError::Postgres { database: self.shown.clone(), problem }
    }
}

/// Prepares a new connection. A standby is refused: after a failover, the address may still lead to
/// the former primary.
async fn prepare(connection: &mut PgConnection, purpose: Use) -> Result<(), sqlx::Error> {
    if purpose != Use::Migrations {
        connection.execute(SESSION).await?;
    }
    match purpose {
        Use::Reads => connection.execute(READS).await.map(|_| ())?,
        Use::Changes => connection.execute(SERIALIZABLE).await.map(|_| ())?,
        Use::Migrations => {}
    }
    let row = connection
        .fetch_one("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool")
        .await?;
    if row.get(0) {
        return Err(sqlx::Error::Configuration(Box::new(PostgresProblem::ReadOnly)));
    }
    Ok(())
}

/// Returns the problem that an error of the driver shows.
fn problem(error: &sqlx::Error) -> Option<PostgresProblem> {
    Some(match error {
        // The certificate of the server is refused.
        sqlx::Error::Io(error) if matches!(error.get_ref(), Some(inner) if inner.is::<rustls::Error>()) => {
            PostgresProblem::Tls(error.to_string())
        }
        sqlx::Error::Io(error) => PostgresProblem::Unreachable(error.to_string()),
        sqlx::Error::PoolTimedOut => {
            PostgresProblem::Unreachable("it does not answer in time".to_owned())
        }
        sqlx::Error::Tls(error) => PostgresProblem::Tls(error.to_string()),
        sqlx::Error::Configuration(error) if error.is::<PostgresProblem>() => {
            PostgresProblem::ReadOnly
        }
        sqlx::Error::Database(error) => {
            let message = error.message().to_owned();
            match error.code().as_deref()? {
                "28P01" | "28000" => PostgresProblem::Login(message),
                "3D000" => PostgresProblem::NoDatabase,
                // Also a schema in the search path that is not there or not visible.
                "42501" | "3F000" => PostgresProblem::Rights(message),
                "53300" => PostgresProblem::Connections(message),
                "57P01" | "57P02" | "57P03" => PostgresProblem::NotReady(message),
                "25006" => PostgresProblem::ReadOnly,
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// Returns the error of the driver in an error of SeaORM.
fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn code(error: &DbErr) -> Option<String> {
    let error = driver_error(error)?.as_database_error()?;
    error.code().map(std::borrow::Cow::into_owned)
}

/// Returns whether a transaction was refused because of a concurrent one, and may succeed if it is
/// made again: `serialization_failure` or `deadlock_detected`.
pub(super) fn is_contention(error: &DbErr) -> bool {
    matches!(code(error).as_deref(), Some("40001" | "40P01"))
}

/// Returns whether the server has closed the connection: an error of the transport, or
/// `admin_shutdown`, `crash_shutdown` or `idle_session_timeout`.
pub(super) fn is_closed(error: &DbErr) -> bool {
    // Other errors are of the pool: it has tried to connect for as long as a request may wait.
    let (DbErr::Exec(RuntimeErr::SqlxError(driver)) | DbErr::Query(RuntimeErr::SqlxError(driver))) =
        error
    else {
        return false;
    };
    matches!(**driver, sqlx::Error::Io(_))
        || matches!(code(error).as_deref(), Some("57P01" | "57P02" | "57P05"))
}

#[cfg(test)]
mod tests;
