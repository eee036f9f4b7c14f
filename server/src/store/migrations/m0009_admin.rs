//! Indexes of the account list, and of the administrators.

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
            // With all sort keys: a search does not fetch rows before the page.
            index("users_by_name").col(Users::UsernameKey).col(Users::CreatedAt).col(Users::Id),
            index("users_by_role").col(Users::Role).col(Users::DisabledAt),
        ] {
            manager.create_index(index.to_owned()).await?;
        }
        // sea-query does not support expression indexes for SQLite.
        for index in [
            "CREATE INDEX users_by_nickname ON users (lower(nickname), created_at, id, username_key)",
            "CREATE INDEX users_by_email ON users (lower(email), created_at, id, username_key)",
        ] {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
