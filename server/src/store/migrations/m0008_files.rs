//! Uploaded files, and the objects that no row references.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0008_files"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Files {
    Table,
    Id,
    UserId,
    Name,
    MediaType,
    Size,
    StoredBytes,
    Width,
    Height,
    CreatedAt,
}

#[derive(DeriveIden)]
enum StrayObjects {
    Table,
    Key,
    DueAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(Files::Table)
                    .col(ColumnDef::new(Files::Id).uuid().not_null().primary_key())
                    .col(ColumnDef::new(Files::UserId).uuid().not_null())
                    .col(ColumnDef::new(Files::Name).string_len(255).not_null())
                    .col(ColumnDef::new(Files::MediaType).string_len(32).not_null())
                    .col(ColumnDef::new(Files::Size).big_integer().not_null())
                    .col(ColumnDef::new(Files::StoredBytes).big_integer().not_null())
                    .col(ColumnDef::new(Files::Width).integer().not_null())
                    .col(ColumnDef::new(Files::Height).integer().not_null())
                    .col(ColumnDef::new(Files::CreatedAt).big_integer().not_null())
                    // No cascade: deleting an account has to mark the objects of its files first.
                    .foreign_key(
                        ForeignKey::create()
                            .from(Files::Table, Files::UserId)
                            .to(Users::Table, Users::Id),
                    )
                    .to_owned(),
            )
            .await?;
        // Covers the pages of a user's files and their total size.
        manager
            .create_index(
                Index::create()
                    .name("files_by_user")
                    .table(Files::Table)
                    .col(Files::UserId)
                    .col(Files::Id)
                    .col(Files::StoredBytes)
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(StrayObjects::Table)
                    .col(ColumnDef::new(StrayObjects::Key).string_len(128).not_null().primary_key())
                    .col(ColumnDef::new(StrayObjects::DueAt).big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        let index = Index::create()
            .name("stray_objects_by_time")
            .table(StrayObjects::Table)
            .col(StrayObjects::DueAt)
            .to_owned();
        manager.create_index(index).await
    }
}
