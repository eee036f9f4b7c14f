//! Failed logins.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_login_failures"
    }
}

#[derive(DeriveIden)]
enum LoginFailures {
    Table,
    Id,
    Subject,
    At,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(LoginFailures::Table)
                    .col(
                        ColumnDef::new(LoginFailures::Id)
                            .big_integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(ColumnDef::new(LoginFailures::Subject).string_len(64).not_null())
                    .col(ColumnDef::new(LoginFailures::At).big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        let by_subject = Index::create()
            .name("login_failures_by_subject")
            .table(LoginFailures::Table)
            .col(LoginFailures::Subject)
            .col(LoginFailures::At)
            .to_owned();
        manager.create_index(by_subject).await?;
        let by_time = Index::create()
            .name("login_failures_by_time")
            .table(LoginFailures::Table)
            .col(LoginFailures::At)
            .to_owned();
        manager.create_index(by_time).await
    }
}
