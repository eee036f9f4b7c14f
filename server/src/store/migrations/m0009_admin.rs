//! How administrators find an account among a million, and how they are found themselves.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_admin"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    UsernameKey,
    Role,
    CreatedAt,
    DisabledAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = |name| Index::create().name(name).table(Users::Table).to_owned();
        for index in [
            index("users_by_creation").col(Users::CreatedAt).col(Users::Id),
            // With all that a list is sorted by: whoever searches does not fetch the rows that
            // others stand before.
            index("users_by_name").col(Users::UsernameKey).col(Users::CreatedAt).col(Users::Id),
            index("users_by_role").col(Users::Role).col(Users::DisabledAt),
        ] {
            manager.create_index(index.to_owned()).await?;
        }
        // sea-query makes no index of expressions for SQLite.
        for index in [
            "CREATE INDEX users_by_nickname ON users (lower(nickname), created_at, id, username_key)",
            "CREATE INDEX users_by_email ON users (lower(email), created_at, id, username_key)",
        ] {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
