//! What names look like, so that no two look alike of which one has letters from outside ASCII.

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
        // Nothing where it is not known yet: only the program has the tables that tell it, and
        // fills it in when it starts.
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
        // A row for each skeleton that is taken. Names within ASCII share it; any other has it for
        // itself. One row, so that a database that writes for several at once has something to
        // lock.
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
