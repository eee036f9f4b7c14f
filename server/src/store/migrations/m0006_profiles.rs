//! E-mail address and phone number of an account; neither is a login name.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_profiles"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Email,
    Mobile,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        let email = ColumnDef::new(Users::Email).string_len(254).null().to_owned();
        let mobile = ColumnDef::new(Users::Mobile).string_len(16).null().to_owned();
        for column in [email, mobile] {
            manager
                .alter_table(Table::alter().table(Users::Table).add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
