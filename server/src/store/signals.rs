//! News between the servers of a PostgreSQL database: connections of their own to read the changes,
//! to listen for notifications and to send them.
//!
//! A notification says that there are changes; what they are is in the table. So a lost one costs
//! time only, until the next poll. It is sent after the commit on another connection: within the
//! transaction it would make all commits wait for one another, because PostgreSQL keeps the
//! notifications of a database in the order of the commits (`PreCommit_Notify`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::sqlx::{
    self, ConnectOptions as _, Executor as _,
    postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions, PgRow},
};
use tokio::{
    sync::{Mutex, Notify},
    task::JoinSet,
    time::{Instant, timeout},
};

use super::StoreError;

/// Channel of the notifications.
const CHANNEL: &str = "gatehouse_changes";
/// Statement that sends one.
const NOTIFY: &str = "SELECT pg_notify('gatehouse_changes', '')";
/// Setting of the session that sends: a notification need not be on disk.
const NO_WAIT: &str = "SET synchronous_commit = off";
/// Time from one notification to the next: changes meanwhile share it.
const COALESCE: Duration = Duration::from_millis(2);
/// Time limit of a statement: its connection is not used again afterwards.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause after a failure to listen or to send.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Handle of the connections. Its tasks end with it.
pub(super) struct Signals {
    shared: Arc<Shared>,
    tasks: parking_lot::Mutex<JoinSet<()>>,
    is_listening: AtomicBool,
}

/// Not `Debug`: the options have a password.
struct Shared {
    options: PgConnectOptions,
    /// Connection that reads the changes.
    reader: Mutex<Option<PgConnection>>,
    /// Wakes the reader of the changes.
    changed: Notify,
    /// Wakes the task that sends notifications.
    announced: Notify,
    /// Set while a notification has to be sent.
    is_unsent: AtomicBool,
    /// Held while one is sent.
    sending: Mutex<()>,
}

impl std::fmt::Debug for Signals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}

impl Signals {
    /// Starts the task that sends notifications. It connects with the first one.
    pub(super) fn start(options: PgConnectOptions) -> Arc<Self> {
        let shared = Arc::new(Shared {
            options,
            reader: Mutex::new(None),
            changed: Notify::new(),
            announced: Notify::new(),
            is_unsent: AtomicBool::new(false),
            sending: Mutex::new(()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(send_all(Arc::clone(&shared)));
        Arc::new(Self {
            shared,
            tasks: parking_lot::Mutex::new(tasks),
            is_listening: AtomicBool::new(false),
        })
    }

    /// Announces committed changes to the other servers, within milliseconds.
    pub(super) fn announce(&self) {
        self.shared.is_unsent.store(true, Ordering::Release);
        self.shared.announced.notify_one();
    }

    /// Sends what is announced, before the process ends.
    pub(super) async fn flush(&self) {
        let sending = async {
            // After the one that is being sent.
            let _sending = self.shared.sending.lock().await;
            if self.shared.is_unsent.swap(false, Ordering::AcqRel) {
                let mut connection = self.shared.options.connect().await?;
                connection.execute(NOTIFY).await?;
            }
            Ok(())
        };
        // Without it, the other servers find the changes by polling.
        let _: Result<Result<(), sqlx::Error>, _> = timeout(QUERY_TIMEOUT, sending).await;
    }

    /// Waits for a notification. Listens from the first call on.
    pub(super) async fn changed(&self) {
        if !self.is_listening.swap(true, Ordering::AcqRel) {
            self.tasks.lock().spawn(listen(Arc::clone(&self.shared)));
        }
        self.shared.changed.notified().await;
    }

    /// Runs a query with a parameter on the connection that reads the changes. The connection is
    /// replaced after a failure.
    pub(super) async fn read(
        &self,
        query: &'static str,
        parameter: i64,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut kept = self.shared.reader.lock().await;
        let reading = async {
            // Taken out: a query that is given up leaves its connection unusable.
            if let Some(mut connection) = kept.take() {
                match rows(&mut connection, query, parameter).await {
                    Ok(found) => return Ok((connection, found)),
                    // A restart of the database has cut it.
                    Err(error) if !error.as_database_error().is_some_and(is_lasting) => {}
                    Err(error) => return Err(error),
                }
            }
            let mut connection = self.shared.options.connect().await?;
            let found = rows(&mut connection, query, parameter).await?;
            Ok((connection, found))
        };
        match timeout(QUERY_TIMEOUT, reading).await {
            Ok(Ok((connection, found))) => {
                *kept = Some(connection);
                Ok(found)
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StoreError::no_answer()),
        }
    }

    /// Opens a connection of its own, outside of the pools.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connecting = timeout(QUERY_TIMEOUT, self.shared.options.connect()).await;
        Ok(connecting.map_err(|_| StoreError::no_answer())??)
    }
}

async fn rows(
    connection: &mut PgConnection,
    query: &'static str,
    parameter: i64,
) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query(query).bind(parameter).fetch_all(connection).await
}

/// Returns whether an error of the database has another cause than the end of the connection.
fn is_lasting(error: &dyn sqlx::error::DatabaseError) -> bool {
    // Class 57: operator intervention, such as a shutdown.
    !error.code().is_some_and(|code| code.starts_with("57P"))
}

/// Sends a notification at once, and then one for all changes that are announced within some
/// milliseconds.
async fn send_all(shared: Arc<Shared>) {
    let mut connection = None;
    let mut is_failing = false;
    loop {
        shared.announced.notified().await;
        let next = Instant::now() + COALESCE;
        let sending = shared.sending.lock().await;
        while shared.is_unsent.swap(false, Ordering::AcqRel) {
            let sent = timeout(QUERY_TIMEOUT, send(&shared.options, connection.take())).await;
            if let Ok(Ok(used)) = sent {
                connection = Some(used);
                is_failing = false;
                continue;
            }
            if !std::mem::replace(&mut is_failing, true) {
                let problem = match sent {
                    Ok(Err(error)) => error.to_string(),
                    _ => "no answer".to_owned(),
                };
                tracing::warn!(
                    %problem,
                    "other servers could not be notified of changes; they find them by polling"
                );
            }
            shared.is_unsent.store(true, Ordering::Release);
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        drop(sending);
        tokio::time::sleep_until(next).await;
    }
}

/// Connects for sending.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    connection.execute(NO_WAIT).await?;
    Ok(connection)
}

async fn send(
    options: &PgConnectOptions,
    connection: Option<PgConnection>,
) -> Result<PgConnection, sqlx::Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => connect(options).await?,
    };
    connection.execute(NOTIFY).await?;
    Ok(connection)
}

/// Wakes the reader for each notification, and after the connection was lost, with which some may
/// have been.
async fn listen(shared: Arc<Shared>) {
    let mut is_failing = false;
    loop {
        let ended = listen_until_failure(&shared, &mut is_failing).await;
        if let Err(error) = ended
            && !std::mem::replace(&mut is_failing, true)
        {
            tracing::warn!(%error, "listening for changes of other servers failed; they are found by polling meanwhile");
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn listen_until_failure(shared: &Shared, is_failing: &mut bool) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(QUERY_TIMEOUT)
        .connect_lazy_with(shared.options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    if std::mem::take(is_failing) {
        tracing::info!("listening for changes of other servers again");
    }
    loop {
        // Changes from before it listened, too.
        shared.changed.notify_one();
        listener.try_recv().await?;
    }
}
