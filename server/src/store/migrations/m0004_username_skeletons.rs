//! Skeletons of usernames, so that no two confusable usernames exist unless both are ASCII.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_username_skeletons"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    UsernameSkeleton,
}

#[derive(DeriveIden)]
enum UsernameSkeletons {
    Table,
    Skeleton,
    Ascii,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // NULL until the program computes it at its start: SQL does not have the tables of
        // confusable characters.
        let skeleton = ColumnDef::new(Users::UsernameSkeleton).string_len(512).null().to_owned();
        manager
            .alter_table(Table::alter().table(Users::Table).add_column(skeleton).to_owned())
            .await?;
        let index = Index::create()
            .name("users_by_skeleton")
            .table(Users::Table)
            .col(Users::UsernameSkeleton)
            .to_owned();
        manager.create_index(index).await?;
        // One row per reserved skeleton. ASCII usernames share it, any other has it exclusively. A
        // row of its own gives databases with concurrent writers something to lock.
        manager
            .create_table(
                Table::create()
                    .table(UsernameSkeletons::Table)
                    .col(
                        ColumnDef::new(UsernameSkeletons::Skeleton)
                            .string_len(512)
                            .not_null()
                            .primary_key(),
                    )
                    .col(ColumnDef::new(UsernameSkeletons::Ascii).boolean().not_null())
                    .to_owned(),
            )
            .await
    }
}
