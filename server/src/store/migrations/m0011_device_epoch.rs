//! Epoch of an account's device cookies: cookies of an earlier epoch are invalid.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0011_device_epoch"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    DeviceEpoch,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let epoch =
            ColumnDef::new(Users::DeviceEpoch).big_integer().not_null().default(0).to_owned();
        manager.alter_table(Table::alter().table(Users::Table).add_column(epoch).to_owned()).await
    }
}
