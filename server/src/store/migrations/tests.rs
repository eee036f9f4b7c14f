//! The tables are those of the entities.

use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, EntityTrait, Schema, Statement,
    sea_query::TableCreateStatement,
};

use super::*;
use crate::store::entities::{
    audit_event, change, cleanup, deleted_user, file, login_failure, orphaned_object,
    revoked_token, session, user, username_skeleton,
};

/// Definitions of the tables as the entities declare them.
fn tables_of_entities(backend: DbBackend) -> Vec<TableCreateStatement> {
    fn table<E: EntityTrait + Default>(backend: DbBackend) -> TableCreateStatement {
        Schema::new(backend).create_table_from_entity(E::default())
    }
    vec![
        table::<audit_event::Entity>(backend),
        table::<change::Entity>(backend),
        table::<cleanup::Entity>(backend),
        table::<deleted_user::Entity>(backend),
        table::<file::Entity>(backend),
        table::<login_failure::Entity>(backend),
        table::<orphaned_object::Entity>(backend),
        table::<revoked_token::Entity>(backend),
        table::<session::Entity>(backend),
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
    assert_eq!(tables, TABLES);
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
