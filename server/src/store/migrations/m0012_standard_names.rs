//! Renames a table and a column. SQLite changes the schema alone: no row is written.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0012_standard_names"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [
            "ALTER TABLE stray_objects RENAME TO orphaned_objects",
            "DROP INDEX stray_objects_by_time",
            "CREATE INDEX orphaned_objects_by_time ON orphaned_objects (due_at)",
            "ALTER TABLE sessions RENAME COLUMN replaced TO undelivered",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
