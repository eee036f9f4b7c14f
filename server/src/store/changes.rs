//! Changes that other processes must know of, since they cache sessions and accounts.
//!
//! Whatever ends a session, takes validity from its tokens or changes an account adds a row to the
//! table `changes`, in the same transaction. The other processes read the new rows and invalidate
//! exactly what they name. A process also reads its own rows: it has invalidated those already, and
//! once more costs a query at most.
//!
//! # Refreshes add no rows
//!
//! A refresh leaves cached rows of other processes behind, with an older generation. That refuses no
//! valid token and accepts no invalid one:
//!
//! - A token of a newer generation than the cached row makes the process read the row again
//!   (`sessions/authenticate.rs`). The client got the token after the commit, so the row that is
//!   read has its generation.
//! - An access token of an older generation stays valid until it expires or its session ends, and
//!   the end adds a row.
//! - A refresh token of the cached generation rotates the session by one statement, which changes
//!   nothing if the row has another generation or has ended ([`Store::rotate_session`]). Otherwise it
//!   is judged by the row that its own transaction reads.
//! - A generation whose response was lost is *undelivered* once another one replaces it: its tokens
//!   are not valid any more. A process that had cached the row in between would go on accepting
//!   them, so that one kind of refresh does add a row ([`Session::revokes_tokens_of`]).
//! - A cached row of an older generation can only lack an acknowledgement of that generation, which
//!   is recorded again: [`Store::acknowledge`] ignores generations that are not current.
//!
//! [`Session::revokes_tokens_of`]: crate::domain::session::Session::revokes_tokens_of

use std::{cell::Cell, cmp::max, collections::HashSet, str::FromStr as _};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseConnection, DbBackend, DbErr,
    EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Statement,
    sea_query::{Expr, Query},
    sqlx::{self, Row as _, postgres::PgRow},
};
use uuid::Uuid;

use super::{
    BlockedToken, Engine, Store, StoreError,
    entities::change::{self, Column},
    identity::DatabaseFiles,
    signals::Signals,
};

/// Time in seconds until rows are deleted. A process that has not read them for half as long
/// invalidates everything.
const RETENTION: i64 = 3_600;
/// Rows that are read at once; a process that has more to read invalidates everything.
const PAGE: u64 = PAGE_ROWS as u64;
const PAGE_ROWS: usize = 10_000;

/// A change that invalidates cached rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A session has ended, or tokens of it are not valid any more.
    Session(Uuid),
    /// An account was changed or deleted.
    Account(Uuid),
    /// The signing keys in the database were changed.
    SigningKeys,
}

impl Change {
    const fn kind(self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Account(_) => "account",
            Self::SigningKeys => "signing_keys",
        }
    }

    fn id(self) -> String {
        match self {
            Self::Session(id) | Self::Account(id) => id.to_string(),
            Self::SigningKeys => String::new(),
        }
    }

    fn parse(kind: &str, id: &str) -> Option<Self> {
        let uuid = || Uuid::from_str(id).ok();
        match kind {
            "session" => uuid().map(Self::Session),
            "account" => uuid().map(Self::Account),
            "signing_keys" => Some(Self::SigningKeys),
            _ => None,
        }
    }
}

/// Position of a reader of the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Time of the read, in seconds of Unix time by the database's clock.
    at: i64,
    /// Changes if what was read before says nothing about what follows: the files of SQLite were
    /// missing, PostgreSQL was restarted, or another server has taken its place.
    epoch: i64,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// SQLite has one writer at a time: rows are committed in the order of their numbers.
    Sqlite {
        /// Number of the last row.
        seq: i64,
        /// Number of the last entry of the blocklist.
        blocked: i64,
    },
    /// PostgreSQL commits in any order: a row with a smaller number may appear after one with a
    /// greater one. Each row has the id of its transaction. When the position was read, all
    /// transactions before `horizon` had ended, and their rows were seen; rows of later ones are
    /// read again each time, and those that were seen already are left out.
    ///
    /// The alternatives cost more: a lock around the insert makes the changes wait for each other's
    /// commits, and reading up to the oldest transaction in progress (without a memory of what was
    /// seen) makes the news wait for a transaction that has nothing to do with them.
    Postgres {
        horizon: i64,
        /// Numbers of the rows, and of the entries of the blocklist, from the horizon on.
        seen: HashSet<(Kind, i64)>,
    },
}

/// Table of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Change,
    Blocked,
}

/// News since a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These changes, and these new entries of the blocklist.
    Changes(Vec<Change>, Vec<BlockedToken>),
    /// Unknown changes: everything that is cached may be stale.
    Everything,
}

/// A row of PostgreSQL's tables.
struct Row {
    number: (Kind, i64),
    transaction: i64,
    /// Kind of the change.
    kind: String,
    /// Id of what has changed, or a token id.
    id: String,
    /// Expiry of a token.
    expires_at: i64,
}

/// Answer of PostgreSQL: a snapshot, and the rows from a horizon on.
struct Snapshot {
    /// The oldest transaction in progress.
    horizon: i64,
    now: i64,
    epoch: i64,
    rows: Vec<Row>,
}

/// The rows of one snapshot, from a transaction on. The first columns are in each row, and in one
/// without a number if there are none. In the order of an index: in that of their numbers, each poll
/// would read all rows of the tables.
pub(super) const SNAPSHOT: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, \
     extract(epoch FROM clock_timestamp())::bigint, \
     (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, \
     pg_is_in_recovery(), news.* \
     FROM (VALUES (1)) AS one LEFT JOIN ( \
       (SELECT false AS blocked, seq, transaction_id, kind, id, 0::bigint AS expires_at FROM changes \
        WHERE transaction_id >= $1 ORDER BY transaction_id LIMIT 10000) \
       UNION ALL \
       (SELECT true, seq, transaction_id, type, jti, expires_at FROM revoked_tokens \
        WHERE transaction_id >= $1 ORDER BY transaction_id LIMIT 10000) \
     ) AS news ON true";

tokio::task_local! {
    /// Set once the current change has recorded something.
    static HAS_RECORDED: Cell<bool>;
}

/// Makes a change, and returns whether it has recorded what other processes must know of.
pub(super) async fn noting_records<F: Future>(change: F) -> (F::Output, bool) {
    let noting = async {
        let done = change.await;
        (done, HAS_RECORDED.with(Cell::get))
    };
    HAS_RECORDED.scope(Cell::new(false), noting).await
}

/// Records changes, in the transaction that makes them.
pub(super) async fn record(
    connection: &impl ConnectionTrait,
    changes: impl IntoIterator<Item = Change>,
) -> Result<(), StoreError> {
    let mut insert = Query::insert()
        .into_table(change::Entity)
        .columns([Column::At, Column::Kind, Column::Id])
        .take();
    let backend = connection.get_database_backend();
    let mut is_empty = true;
    for change in changes {
        is_empty = false;
        // The clock of the database, which all processes share.
        insert.values_panic([now(backend), change.kind().into(), change.id().into()]);
    }
    if !is_empty {
        connection.execute(&insert).await?;
        // Outside of `noting_records`, nothing waits for an announcement.
        let _ = HAS_RECORDED.try_with(|has_recorded| has_recorded.set(true));
    }
    Ok(())
}

/// The database's clock in seconds of Unix time.
fn now(backend: DbBackend) -> Expr {
    Expr::cust(match backend {
        DbBackend::Postgres => "extract(epoch FROM clock_timestamp())::bigint",
        _ => "unixepoch()",
    })
}

impl Store {
    /// Returns the position after everything that is committed now.
    pub async fn changes_position(&self) -> Result<Position, StoreError> {
        match &self.engine {
            Engine::Sqlite { follow, files, .. } => sqlite_position(follow, files, 0, 0).await,
            Engine::Postgres { signals, .. } => {
                // The rows in progress now: those of the last transactions, at most.
                let Snapshot { horizon, .. } = snapshot(signals, i64::MAX).await?;
                let snapshot = snapshot(signals, horizon).await?;
                Ok(snapshot.position(horizon))
            }
        }
    }

    /// Returns the news since a position, and the position after them. Also checks that the database
    /// files are in place; [`Store::ensure_in_place`] returns the result of that check.
    pub async fn news_since(&self, last: &Position) -> Result<(News, Position), StoreError> {
        match (&self.engine, &last.place) {
            (Engine::Sqlite { follow, files, .. }, Place::Sqlite { seq, blocked }) => {
                let next = sqlite_position(follow, files, *seq, *blocked).await?;
                self.sqlite_news(follow, (last, *seq, *blocked), next).await
            }
            (Engine::Postgres { signals, .. }, Place::Postgres { horizon, seen }) => {
                let snapshot = snapshot(signals, *horizon).await?;
                Ok(snapshot.news_since(last, *horizon, seen))
            }
            // A position of another database.
            _ => Ok((News::Everything, self.changes_position().await?)),
        }
    }

    /// Waits until another process announces changes, which SQLite does not offer.
    pub async fn changed(&self) {
        match &self.engine {
            Engine::Sqlite { .. } => std::future::pending().await,
            Engine::Postgres { signals, .. } => signals.changed().await,
        }
    }

    async fn sqlite_news(
        &self,
        follow: &DatabaseConnection,
        (last, seq, blocked): (&Position, i64, i64),
        next: Position,
    ) -> Result<(News, Position), StoreError> {
        let Place::Sqlite { seq: next_seq, blocked: next_blocked } = next.place else {
            return Ok((News::Everything, next));
        };
        // The numbers are set back by a copy of an older database.
        if !next.continues(last) || next_seq < seq || next_blocked < blocked {
            return Ok((News::Everything, next));
        }
        let mut changes = Vec::new();
        if next_seq > seq {
            let rows = change::Entity::find()
                .filter(Column::Seq.gt(seq).and(Column::Seq.lte(next_seq)))
                .order_by_asc(Column::Seq)
                .limit(PAGE)
                .all(follow)
                .await?;
            let parsed = rows.iter().map(|row| Change::parse(&row.kind, &row.id));
            match parsed.collect::<Option<Vec<_>>>() {
                Some(parsed) if rows.len() < PAGE_ROWS => changes = parsed,
                // Too many, or written by another version of the program.
                _ => return Ok((News::Everything, next)),
            }
        }
        let mut tokens = Vec::new();
        if next_blocked > blocked {
            tokens = self.revoked_tokens(blocked, PAGE).await?;
            if tokens.len() == PAGE_ROWS {
                return Ok((News::Everything, next));
            }
            tokens.retain(|token| token.seq <= next_blocked);
        }
        Ok((News::Changes(changes, tokens), next))
    }

    /// Deletes the rows that every process has read.
    pub async fn sweep_changes(&self) -> Result<u64, StoreError> {
        let now = now(self.read.get_database_backend());
        let read = Condition::all().add(Expr::col(Column::At).lt(now.sub(RETENTION)));
        self.delete_in_batches::<change::Entity>(Column::Seq, read).await
    }
}

impl Position {
    /// Returns whether the rows since an earlier position are all there.
    fn continues(&self, last: &Self) -> bool {
        self.epoch == last.epoch && self.at.saturating_sub(last.at) <= RETENTION / 2
    }
}

impl Snapshot {
    /// Returns the position after it. Its rows begin at an earlier horizon.
    fn position(&self, earlier: i64) -> Position {
        // Ids decrease if another server takes over without the last transactions.
        let horizon = max(earlier, self.horizon);
        let open = self.rows.iter().filter(|row| row.transaction >= horizon);
        Position {
            at: self.now,
            epoch: self.epoch,
            place: Place::Postgres { horizon, seen: open.map(|row| row.number).collect() },
        }
    }

    fn news_since(
        self,
        last: &Position,
        earlier: i64,
        seen: &HashSet<(Kind, i64)>,
    ) -> (News, Position) {
        let next = self.position(earlier);
        let is_whole = self.rows.len() < PAGE_ROWS;
        if !next.continues(last) || !is_whole || self.horizon < earlier {
            let place = Place::Postgres { horizon: self.horizon, seen: HashSet::new() };
            return (News::Everything, Position { place, ..next });
        }
        let (mut changes, mut tokens) = (Vec::new(), Vec::new());
        for row in self.rows.into_iter().filter(|row| !seen.contains(&row.number)) {
            match row.number {
                (Kind::Change, _) => match Change::parse(&row.kind, &row.id) {
                    Some(change) => changes.push(change),
                    // Written by another version of the program.
                    None => return (News::Everything, next),
                },
                (Kind::Blocked, seq) => {
                    tokens.push(BlockedToken { seq, jti: row.id, expires_at: row.expires_at });
                }
            }
        }
        (News::Changes(changes, tokens), next)
    }
}

/// Returns the position after everything that is committed now; without rows, the newest was
/// deleted, and the numbers are these.
async fn sqlite_position(
    follow: &DatabaseConnection,
    files: &DatabaseFiles,
    seq: i64,
    blocked: i64,
) -> Result<Position, StoreError> {
    // Before the query: files that come back during it change the epoch. A failed check is logged
    // once; requests are refused until a later one succeeds.
    let _ = files.check();
    let epoch = files.recoveries();
    let select = Statement::from_string(
        DbBackend::Sqlite,
        "SELECT (SELECT max(seq) FROM changes), (SELECT max(seq) FROM revoked_tokens), unixepoch()",
    );
    let row = follow
        .query_one_raw(select)
        .await?
        .ok_or_else(|| StoreError::Unreadable("the query of the changes answers nothing".into()))?;
    let place = Place::Sqlite {
        seq: row.try_get_by_index::<Option<i64>>(0)?.unwrap_or(seq),
        blocked: row.try_get_by_index::<Option<i64>>(1)?.unwrap_or(blocked),
    };
    Ok(Position { at: row.try_get_by_index(2)?, epoch, place })
}

/// Reads a snapshot of PostgreSQL with the rows from a horizon on.
async fn snapshot(signals: &Signals, horizon: i64) -> Result<Snapshot, StoreError> {
    let rows = signals.read(SNAPSHOT, horizon).await?;
    let parsed = || -> Result<Option<Snapshot>, sqlx::Error> {
        let Some(first) = rows.first() else { return Ok(None) };
        if first.try_get(3)? {
            return Ok(None);
        }
        let parse = |row: &PgRow| -> Result<Option<Row>, sqlx::Error> {
            let Some(seq) = row.try_get::<Option<i64>, _>(5)? else { return Ok(None) };
            let kind = if row.try_get(4)? { Kind::Blocked } else { Kind::Change };
            Ok(Some(Row {
                number: (kind, seq),
                transaction: row.try_get(6)?,
                kind: row.try_get(7)?,
                id: row.try_get(8)?,
                expires_at: row.try_get(9)?,
            }))
        };
        let news = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Snapshot {
            horizon: first.try_get(0)?,
            now: first.try_get(1)?,
            epoch: first.try_get(2)?,
            rows: news.into_iter().flatten().collect(),
        }))
    };
    match parsed() {
        Ok(Some(snapshot)) => Ok(snapshot),
        // It may lag behind the primary.
        Ok(None) => Err(StoreError::Unavailable(DbErr::Custom("the database is a standby".into()))),
        Err(error) => Err(StoreError::Unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        _folder: tempfile::TempDir,
        store: Store,
    }

    async fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("gatehouse.sqlite").display());
        let store = Store::open(&url).await.unwrap();
        Fixture { _folder: folder, store }
    }

    impl Fixture {
        async fn record(&self, changes: Vec<Change>) {
            let recording = self
                .store
                .writer
                .write(|transaction| Box::pin(async { record(transaction, changes).await }));
            recording.await.unwrap();
        }

        async fn execute(&self, sql: &str) {
            self.store.write().execute_unprepared(sql).await.unwrap();
        }

        async fn changes_since(&self, position: &Position) -> Option<Vec<Change>> {
            match self.store.news_since(position).await.unwrap().0 {
                News::Changes(changes, _) => Some(changes),
                News::Everything => None,
            }
        }
    }

    #[tokio::test]
    async fn news_since_position_are_the_changes_after_it() {
        let fixture = fixture().await;
        let (session, account) =
            (Change::Session(Uuid::from_u128(1)), Change::Account(Uuid::from_u128(2)));
        fixture.record(vec![account]).await;
        let start = fixture.store.changes_position().await.unwrap();
        assert_eq!(fixture.changes_since(&start).await, Some(vec![]));
        fixture.record(vec![]).await;
        fixture.record(vec![session, account]).await;
        let (news, next) = fixture.store.news_since(&start).await.unwrap();
        assert_eq!(news, News::Changes(vec![session, account], vec![]));
        fixture.record(vec![account]).await;
        assert_eq!(fixture.changes_since(&next).await, Some(vec![account]));
        assert_eq!(
            fixture.changes_since(&start).await,
            Some(vec![session, account, account]),
            "each reader has a position of its own"
        );
    }

    #[tokio::test]
    async fn news_after_the_rows_may_have_been_deleted_are_everything() {
        let fixture = fixture().await;
        let position = fixture.store.changes_position().await.unwrap();
        let ago = |seconds| Position { at: position.at - seconds, ..position.clone() };
        assert_eq!(fixture.changes_since(&ago(RETENTION / 2 - 60)).await, Some(vec![]));
        assert_eq!(fixture.changes_since(&ago(RETENTION / 2 + 1)).await, None);
    }

    #[tokio::test]
    async fn news_after_the_sequence_was_set_back_are_everything() {
        let fixture = fixture().await;
        fixture.record(vec![Change::Session(Uuid::nil())]).await;
        let position = fixture.store.changes_position().await.unwrap();
        fixture.record(vec![Change::Session(Uuid::nil())]).await;
        let ahead = Position { place: Place::Sqlite { seq: 9, blocked: 0 }, ..position.clone() };
        assert_eq!(fixture.changes_since(&ahead).await, None);
        fixture.execute("DELETE FROM changes").await;
        assert_eq!(fixture.changes_since(&ahead).await, Some(vec![]), "a cleanup is none");
    }

    #[tokio::test]
    async fn news_of_unknown_kind_are_everything() {
        let fixture = fixture().await;
        let position = fixture.store.changes_position().await.unwrap();
        fixture.execute("INSERT INTO changes (at, kind, id) VALUES (0, 'future', 'x')").await;
        assert_eq!(fixture.changes_since(&position).await, None);
    }

    #[tokio::test]
    async fn sweep_changes_deletes_rows_an_hour_old_by_the_clock_of_the_database() {
        let fixture = fixture().await;
        fixture.record(vec![Change::Session(Uuid::nil()); 3]).await;
        fixture.execute("UPDATE changes SET at = at - 3590 WHERE seq = 2").await;
        fixture.execute("UPDATE changes SET at = at - 3601 WHERE seq = 3").await;
        assert_eq!(fixture.store.sweep_changes().await.unwrap(), 1);
        let left = change::Entity::find().all(&fixture.store.read).await.unwrap();
        assert_eq!(left.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
        // The rows are gone, not the numbers.
        let position = fixture.store.changes_position().await.unwrap();
        fixture.record(vec![Change::Account(Uuid::nil())]).await;
        assert_eq!(
            fixture.changes_since(&position).await,
            Some(vec![Change::Account(Uuid::nil())])
        );
    }
}
