//! The tables are those of the entities.

use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, EntityTrait, Schema, Statement,
    sea_query::TableCreateStatement,
};

use super::*;
use crate::store::entities::{
    address, audit_event, change, cleanup, deleted_user, file, login_failure, object_store,
    one_time_code, orphaned_object, outbox, removal_notice, revoked_token, session, signing_key,
    user, user_word, username_skeleton,
};

/// Definitions of the tables as the entities declare them.
fn tables_of_entities(backend: DbBackend) -> Vec<TableCreateStatement> {
    fn table<E: EntityTrait + Default>(backend: DbBackend) -> TableCreateStatement {
        Schema::new(backend).create_table_from_entity(E::default())
    }
    vec![
        table::<address::Entity>(backend),
        table::<audit_event::Entity>(backend),
        table::<change::Entity>(backend),
        table::<cleanup::Entity>(backend),
        table::<deleted_user::Entity>(backend),
        table::<file::Entity>(backend),
        table::<login_failure::Entity>(backend),
        table::<object_store::Entity>(backend),
        table::<one_time_code::Entity>(backend),
        table::<orphaned_object::Entity>(backend),
        table::<outbox::Entity>(backend),
        table::<removal_notice::Entity>(backend),
        table::<revoked_token::Entity>(backend),
        table::<session::Entity>(backend),
        table::<signing_key::Entity>(backend),
        table::<user_word::Entity>(backend),
        table::<username_skeleton::Entity>(backend),
        table::<user::Entity>(backend),
    ]
}

/// A column: table, name, declared type, whether it takes no NULL, default, place in the primary
/// key.
type Column = (String, String, String, bool, Option<String>, i32);

async fn columns_of_sqlite(connection: &DatabaseConnection) -> Vec<Column> {
    let select = "SELECT tables.name, columns.name, columns.type, columns.\"notnull\", columns.dflt_value, columns.pk \
                  FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
                  WHERE tables.type = 'table' AND tables.name NOT IN ('seaql_migrations', 'sqlite_sequence') \
                  ORDER BY tables.name, columns.name";
    let rows =
        connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, select)).await.unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
                row.try_get_by_index(2).unwrap(),
                row.try_get_by_index(3).unwrap(),
                row.try_get_by_index(4).unwrap(),
                row.try_get_by_index(5).unwrap(),
            )
        })
        .collect()
}

async fn sqlite() -> (tempfile::TempDir, DatabaseConnection) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("schema.sqlite").display());
    (folder, Database::connect(url).await.unwrap())
}

#[tokio::test]
async fn migrated_sqlite_database_has_the_columns_of_the_entities() {
    let ((_folder, migrated), (_other, of_entities)) = (sqlite().await, sqlite().await);
    run(&migrated).await.unwrap();
    for table in tables_of_entities(DbBackend::Sqlite) {
        of_entities.execute(&table).await.unwrap();
    }
    let columns = columns_of_sqlite(&migrated).await;
    assert_eq!(columns, columns_of_sqlite(&of_entities).await);
    let mut tables: Vec<_> = columns.into_iter().map(|(table, ..)| table).collect();
    tables.dedup();
    assert_eq!(tables, entities::tables().map(|table| table.name));
}

/// Checks that a migrated database without one column is refused.
async fn assert_refused_without_a_column(connection: &DatabaseConnection) {
    run(connection).await.unwrap();
    run(connection).await.unwrap();
    connection.execute_unprepared("ALTER TABLE users DROP COLUMN nickname").await.unwrap();
    let error = run(connection).await.unwrap_err();
    assert!(
        matches!(error, MigrationError::Incomplete { table: "users", column: "nickname" }),
        "{error}"
    );
}

#[tokio::test]
async fn start_with_a_sqlite_database_that_lacks_a_column_fails() {
    let (_folder, connection) = sqlite().await;
    assert_refused_without_a_column(&connection).await;
}

#[tokio::test]
async fn migration_of_a_database_with_a_table_of_another_program_fails_and_changes_nothing() {
    for foreign in [
        "CREATE TABLE users (id integer)",
        "CREATE TABLE seaql_migrations (version text, applied_at integer); INSERT INTO seaql_migrations VALUES ('m2020_shop', 0)",
    ] {
        let (_folder, connection) = sqlite().await;
        connection.execute_unprepared(foreign).await.unwrap();
        let before = tables(&connection).await.unwrap();
        let error = run(&connection).await.unwrap_err();
        assert!(matches!(&error, MigrationError::Foreign(table) if *table == before[0]), "{error}");
        assert_eq!(tables(&connection).await.unwrap(), before);
    }
}

#[tokio::test]
async fn migration_of_an_unreleased_database_fails_and_changes_nothing() {
    let (_folder, connection) = sqlite().await;
    for statement in [
        "CREATE TABLE seaql_migrations (version text, applied_at integer)",
        "INSERT INTO seaql_migrations VALUES ('m0001_core', 0), ('m0002_sessions', 0)",
    ] {
        connection.execute_unprepared(statement).await.unwrap();
    }
    let error = run(&connection).await.unwrap_err();
    assert!(matches!(error, MigrationError::Unreleased), "{error}");
    assert_eq!(tables(&connection).await.unwrap(), ["seaql_migrations"]);
}

mod on_postgres {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::test_database::PostgresDatabase;

    /// A column: table, name, type, whether it takes NULL, default, whether it is an identity,
    /// collation.
    type PostgresColumn = (String, String, String, String, Option<String>, String, Option<String>);

    async fn columns_of_postgres(connection: &DatabaseConnection) -> Vec<PostgresColumn> {
        let select = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, \
                      column_default::text, is_identity::text, collation_name::text \
                      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' \
                      AND column_name <> 'transaction_id'";
        let select = Statement::from_string(DbBackend::Postgres, select);
        let rows = connection.query_all_raw(select).await.unwrap();
        let mut columns: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.try_get_by_index(0).unwrap(),
                    row.try_get_by_index(1).unwrap(),
                    row.try_get_by_index(2).unwrap(),
                    row.try_get_by_index(3).unwrap(),
                    row.try_get_by_index(4).unwrap(),
                    row.try_get_by_index(5).unwrap(),
                    row.try_get_by_index(6).unwrap(),
                )
            })
            .collect();
        columns.sort();
        columns
    }

    /// Indexes by name, without those of constraints: table, columns and condition.
    async fn indexes(connection: &DatabaseConnection) -> BTreeMap<String, String> {
        let backend = connection.get_database_backend();
        let select = if backend == DbBackend::Postgres {
            "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' \
             AND indexname !~ '_(pkey|key|by_transaction)$'"
        } else {
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        };
        let rows = connection.query_all_raw(Statement::from_string(backend, select)).await.unwrap();
        let normalized = |sql: String| {
            sql.replace("public.", "")
                .replace(" USING btree", "")
                .replace("::text", "")
                .replace(['(', ')', '"'], "")
        };
        rows.iter()
            .map(|row| {
                let sql = row.try_get_by_index(1).unwrap();
                (row.try_get_by_index(0).unwrap(), normalized(sql))
            })
            .collect()
    }

    async fn postgres() -> (PostgresDatabase, DatabaseConnection) {
        let database = PostgresDatabase::create().expect("GATEHOUSE_TEST_POSTGRES");
        let connection = Database::connect(database.url()).await.unwrap();
        (database, connection)
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn start_with_a_postgres_database_that_lacks_a_column_fails() {
        let (_database, connection) = postgres().await;
        assert_refused_without_a_column(&connection).await;
        connection.close().await.unwrap();
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn migrated_databases_have_the_same_columns_and_indexes() {
        let (_database, on_postgres) = postgres().await;
        let (_folder, on_sqlite) = sqlite().await;
        run(&on_postgres).await.unwrap();
        run(&on_sqlite).await.unwrap();
        let found: Vec<_> = columns_of_postgres(&on_postgres)
            .await
            .into_iter()
            .map(|(table, name, kind, nullable, default, _, _)| {
                (table, name, kind, nullable == "NO", default)
            })
            .collect();
        let expected: Vec<_> = columns_of_sqlite(&on_sqlite)
            .await
            .into_iter()
            .map(|(table, name, kind, is_required, default, _)| {
                let kind = kind.to_lowercase();
                let kind = match (kind.as_str(), name.as_str()) {
                    ("varchar", _) => "character varying",
                    ("uuid_text", _) => "uuid",
                    // SQLite has one type of integers.
                    ("integer", "width" | "height" | "attempts" | "tries") => "integer",
                    ("integer", _) => "bigint",
                    (kind, _) => kind,
                };
                (table, name, kind.to_owned(), is_required, default)
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(indexes(&on_postgres).await, indexes(&on_sqlite).await);
        on_postgres.close().await.unwrap();
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn migrated_postgres_database_has_the_columns_of_the_entities_compared_by_bytes() {
        let ((_one, migrated), (_other, of_entities)) = (postgres().await, postgres().await);
        run(&migrated).await.unwrap();
        for table in tables_of_entities(DbBackend::Postgres) {
            of_entities.execute(&table).await.unwrap();
        }
        let mut expected = columns_of_postgres(&of_entities).await;
        for (.., kind, _, _, _, collation) in &mut expected {
            if kind == "character varying" {
                *collation = Some("C".to_owned());
            }
        }
        assert_eq!(columns_of_postgres(&migrated).await, expected);
        migrated.close().await.unwrap();
        of_entities.close().await.unwrap();
    }
}
