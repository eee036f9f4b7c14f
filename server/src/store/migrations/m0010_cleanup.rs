//! Cleanup in batches: deleted accounts with remaining rows, a sequence of revoked tokens, and the
//! time of the last cleanup.

use sea_orm_migration::prelude::{sea_orm::Statement, *};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0010_cleanup"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for statement in [
            // Deleted accounts with remaining rows in other tables.
            "CREATE TABLE deleted_users (user_id uuid_text NOT NULL PRIMARY KEY, deleted_at integer NOT NULL)",
            "CREATE TABLE cleanups (id integer NOT NULL PRIMARY KEY, at integer NOT NULL)",
            // Servers poll this table by a number that is never reused. All existing entries are of
            // logouts, whose tokens are rejected because of the ended session.
            "DROP TABLE revoked_tokens",
            "CREATE TABLE revoked_tokens (seq integer NOT NULL PRIMARY KEY AUTOINCREMENT, jti varchar(64) NOT NULL UNIQUE, \
             type varchar(16) NOT NULL, expires_at integer NOT NULL, revoked_at integer NOT NULL, \
             reason varchar(32) NOT NULL)",
            "CREATE INDEX revoked_tokens_by_end ON revoked_tokens (expires_at)",
            "CREATE INDEX sessions_by_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        remove_foreign_keys(connection).await
    }
}

/// Removes the foreign keys of tables whose rows are deleted after their account. Rewriting large
/// tables would take minutes; SQLite documents this way
/// (<https://sqlite.org/lang_altertable.html#otheralter>).
async fn remove_foreign_keys(connection: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    const KEY: &str = r#", FOREIGN KEY ("user_id") REFERENCES "users" ("id")"#;
    let pragma = Statement::from_string(connection.get_database_backend(), "PRAGMA schema_version");
    let row = connection.query_one_raw(pragma).await?;
    let row =
        row.ok_or_else(|| DbErr::Migration("PRAGMA schema_version answers nothing".into()))?;
    let version: i64 = row.try_get_by_index(0)?;
    connection.execute_unprepared("PRAGMA writable_schema = ON").await?;
    for (table, key) in
        [("sessions", format!("{KEY} ON DELETE CASCADE")), ("files", KEY.to_owned())]
    {
        let update = format!(
            "UPDATE sqlite_schema SET sql = replace(sql, '{key}', '') WHERE type = 'table' AND name = '{table}'"
        );
        connection.execute_unprepared(&update).await?;
    }
    // Makes all connections read the schema again.
    connection.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    connection.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    Ok(())
}
