//! Insertion of many rows of one table.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait as _, QueryTrait as _, Statement,
};

use super::StoreError;

/// Rows of a statement that inserts or selects many. Each value is a parameter, of which SQLite
/// takes 32 766 and PostgreSQL 65 535.
pub(super) const ROWS_PER_STATEMENT: usize = 1_000;

/// Inserts rows within a transaction of the [`Writer`](super::strategy::Writer). It is faster if
/// they are in the order of the primary key: neighbours change the same page of its index.
///
/// # Errors
///
/// [`StoreError::Unavailable`], also for a row that exists already: some rows may have been
/// inserted, so the transaction has to be rolled back, which [`StoreError::Conflict`] would not do.
pub(super) async fn insert<A>(
    connection: &impl ConnectionTrait,
    mut rows: impl Iterator<Item = A>,
) -> Result<(), StoreError>
where
    A: ActiveModelTrait,
{
    let backend = connection.get_database_backend();
    loop {
        let part: Vec<A> = rows.by_ref().take(ROWS_PER_STATEMENT).collect();
        if part.is_empty() {
            return Ok(());
        }
        let statement = statement(backend, part);
        connection.execute_raw(statement).await.map_err(StoreError::Unavailable)?;
    }
}

fn statement<A: ActiveModelTrait>(backend: DbBackend, rows: Vec<A>) -> Statement {
    let mut statement = A::Entity::insert_many(rows).build(backend);
    if backend == DbBackend::Sqlite {
        // `OR FAIL` avoids SQLite's statement journal, a copy of each page before the statement
        // changes it, by which the statement alone is undone: more bytes than the insertion itself
        // writes. sea-query has no such clause.
        statement.sql = statement.sql.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1);
    }
    statement
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveValue::Set, PaginatorTrait as _};

    use super::*;
    use crate::store::{entities::username_skeleton, test_store::TestStore};

    fn rows(numbers: impl Iterator<Item = usize>) -> Vec<username_skeleton::ActiveModel> {
        let row = |number| username_skeleton::ActiveModel {
            skeleton: Set(format!("{number:05}")),
            ascii: Set(true),
            usernames: Set(1),
        };
        numbers.map(row).collect()
    }

    async fn insert_in_transaction(
        test: &TestStore,
        rows: Vec<username_skeleton::ActiveModel>,
    ) -> Result<(), StoreError> {
        let change = test.store.writer.write(move |transaction| {
            Box::pin(async move { insert(transaction, rows.into_iter()).await })
        });
        change.await
    }

    async fn count(test: &TestStore) -> u64 {
        username_skeleton::Entity::find().count(&test.store.read).await.unwrap()
    }

    #[test]
    fn statement_has_no_journal_on_sqlite() {
        for (backend, begin) in [
            (DbBackend::Sqlite, r#"INSERT OR FAIL INTO "username_skeletons" ("#),
            (DbBackend::Postgres, r#"INSERT INTO "username_skeletons" ("#),
        ] {
            let Statement { sql, .. } = statement(backend, rows(0..2));
            assert!(sql.starts_with(begin), "{sql}");
        }
    }

    #[tokio::test]
    async fn insert_of_more_rows_than_fit_in_a_statement_inserts_all() {
        let test = TestStore::open().await;
        let number = 2 * ROWS_PER_STATEMENT + 1;
        insert_in_transaction(&test, rows(0..number)).await.unwrap();
        assert_eq!(count(&test).await, number as u64);
        insert_in_transaction(&test, Vec::new()).await.unwrap();
        assert_eq!(count(&test).await, number as u64);
    }

    #[tokio::test]
    async fn insert_with_a_conflict_inserts_no_row() {
        let test = TestStore::open().await;
        let number = 2 * ROWS_PER_STATEMENT;
        for rows in [rows((0..number).chain([5])), rows([1, 2, 3, 2, 4].into_iter())] {
            let result = insert_in_transaction(&test, rows).await;
            assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
            assert_eq!(count(&test).await, 0);
        }
    }
}
