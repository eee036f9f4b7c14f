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
//! - A refresh token is judged by the row that its own transaction reads, never by a cached one.
//! - A generation whose response was lost is *undelivered* once another one replaces it: its tokens
//!   are not valid any more. A process that had cached the row in between would go on accepting
//!   them, so that one kind of refresh does add a row ([`Session::revokes_tokens_of`]).
//! - A cached row of an older generation can only lack an acknowledgement of that generation, which
//!   is recorded again: [`Store::acknowledge`] ignores generations that are not current.
//!
//! [`Session::revokes_tokens_of`]: crate::domain::session::Session::revokes_tokens_of

use std::str::FromStr as _;

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbBackend, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use super::{
    BlockedToken, Store, StoreError,
    entities::change::{self, Column},
};

/// Time in seconds until rows are deleted. A process that has not read them for half as long
/// invalidates everything.
const RETENTION: i64 = 3_600;
/// Rows that are read at once; a process that has more to read invalidates everything.
const PAGE: u64 = 10_000;

/// Tables that are read by their numbers.
const TABLES: [&str; 2] = ["changes", "revoked_tokens"];

/// A change that invalidates cached rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A session has ended, or tokens of it are not valid any more.
    Session(Uuid),
    /// An account was changed or deleted.
    Account(Uuid),
}

impl Change {
    const fn kind(self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Account(_) => "account",
        }
    }

    fn id(self) -> String {
        match self {
            Self::Session(id) | Self::Account(id) => id.to_string(),
        }
    }

    fn parse(kind: &str, id: &str) -> Option<Self> {
        let uuid = || Uuid::from_str(id).ok();
        match kind {
            "session" => uuid().map(Self::Session),
            "account" => uuid().map(Self::Account),
            _ => None,
        }
    }
}

/// Position of a reader of the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Number of the last row that was read.
    seq: i64,
    /// Number of the last entry of the blocklist that was read.
    blocked: i64,
    /// When it was read, in seconds of Unix time by the database's clock.
    at: i64,
    /// Rows that were read under another epoch say nothing about this one.
    epoch: i64,
}

/// News since a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These changes, and these new entries of the blocklist.
    Changes(Vec<Change>, Vec<BlockedToken>),
    /// Unknown changes: everything that is cached may be stale.
    Everything,
}

/// State of the tables of changes.
struct State {
    /// Number of the newest change.
    seq: Option<i64>,
    /// Number of the newest entry of the blocklist.
    blocked: Option<i64>,
    /// The database's clock.
    now: i64,
    epoch: i64,
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
        let State { seq, blocked, now, epoch } = self.changes_state().await?;
        self.complete(&TABLES).await?;
        let (seq, blocked) = (seq.unwrap_or_default(), blocked.unwrap_or_default());
        Ok(Position { seq, blocked, at: now, epoch })
    }

    /// Returns the news since a position, and the position after them. Also checks that the database
    /// files are in place; [`Store::ensure_in_place`] returns the result of that check.
    pub async fn news_since(&self, last: &Position) -> Result<(News, Position), StoreError> {
        let State { seq, blocked, now, epoch } = self.changes_state().await?;
        let next = Position {
            // Without rows, the newest was deleted.
            seq: seq.unwrap_or(last.seq),
            blocked: blocked.unwrap_or(last.blocked),
            at: now,
            epoch,
        };
        let is_continuous = next.epoch == last.epoch
            // The numbers are set back by a copy of an older database.
            && next.seq >= last.seq
            && next.blocked >= last.blocked
            && next.at.saturating_sub(last.at) <= RETENTION / 2;
        if next.seq != last.seq || next.blocked != last.blocked {
            self.complete(&TABLES).await?;
        }
        if !is_continuous {
            return Ok((News::Everything, next));
        }
        let mut changes = Vec::new();
        if next.seq > last.seq {
            // Up to the number that is complete: on PostgreSQL, greater ones may be there already
            // while some of the numbers between them are not yet.
            let rows = change::Entity::find()
                .filter(Column::Seq.gt(last.seq).and(Column::Seq.lte(next.seq)))
                .order_by_asc(Column::Seq)
                .limit(PAGE)
                .all(&self.follow)
                .await?;
            if u64::try_from(rows.len()).is_ok_and(|count| count == PAGE) {
                return Ok((News::Everything, next));
            }
            for row in rows {
                let Some(change) = Change::parse(&row.kind, &row.id) else {
                    // Written by another version of the program.
                    return Ok((News::Everything, next));
                };
                changes.push(change);
            }
        }
        let mut blocked = Vec::new();
        if next.blocked > last.blocked {
            blocked = self.revoked_tokens(last.blocked, PAGE).await?;
            if u64::try_from(blocked.len()).is_ok_and(|count| count == PAGE) {
                return Ok((News::Everything, next));
            }
            blocked.retain(|token| token.seq <= next.blocked);
        }
        Ok((News::Changes(changes, blocked), next))
    }

    async fn changes_state(&self) -> Result<State, StoreError> {
        // Before the query: files that come back during it change the epoch.
        let epoch = self.check_files();
        let backend = self.follow.get_database_backend();
        let select = match backend {
            // The last numbers that were taken, also by changes that are in progress.
            DbBackend::Postgres => {
                "SELECT pg_sequence_last_value(pg_get_serial_sequence('changes', 'seq')::regclass), \
                 pg_sequence_last_value(pg_get_serial_sequence('revoked_tokens', 'seq')::regclass), \
                 extract(epoch FROM clock_timestamp())::bigint"
            }
            _ => {
                "SELECT (SELECT max(seq) FROM changes), (SELECT max(seq) FROM revoked_tokens), unixepoch()"
            }
        };
        let select = Statement::from_string(backend, select);
        let row = self.follow.query_one_raw(select).await?.ok_or_else(|| {
            StoreError::Unreadable("the query of the changes answers nothing".into())
        })?;
        Ok(State {
            seq: row.try_get_by_index(0)?,
            blocked: row.try_get_by_index(1)?,
            now: row.try_get_by_index(2)?,
            epoch,
        })
    }

    /// Deletes the rows that every process has read.
    pub async fn sweep_changes(&self) -> Result<u64, StoreError> {
        let now = now(self.read.get_database_backend());
        let read = Condition::all().add(Expr::col(Column::At).lt(now.sub(RETENTION)));
        self.delete_in_batches::<change::Entity>(Column::Seq, read).await
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
        let ahead = Position { seq: position.seq + 2, ..position.clone() };
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
