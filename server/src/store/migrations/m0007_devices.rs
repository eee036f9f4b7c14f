//! Last seen client of a session, and recognition of new devices.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0007_devices"
    }
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Address,
    UserAgent,
    NewDevice,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    LoggedInAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        let address = ColumnDef::new(Sessions::Address).string_len(45).null().to_owned();
        let user_agent = ColumnDef::new(Sessions::UserAgent).string_len(256).null().to_owned();
        let new_device =
            ColumnDef::new(Sessions::NewDevice).boolean().not_null().default(false).to_owned();
        for column in [address, user_agent, new_device] {
            manager
                .alter_table(Table::alter().table(Sessions::Table).add_column(column).to_owned())
                .await?;
        }
        let logged_in_at = ColumnDef::new(Users::LoggedInAt).big_integer().null().to_owned();
        manager
            .alter_table(Table::alter().table(Users::Table).add_column(logged_in_at).to_owned())
            .await?;
        // Accounts that have logged in before are told about new devices: the audit log has their
        // logins.
        manager
            .get_connection()
            .execute_unprepared(
                "UPDATE users SET logged_in_at = (SELECT MAX(at) FROM audit_events WHERE audit_events.user_id = users.id \
                 AND event = 'logged_in' AND outcome = 'success')",
            )
            .await?;
        Ok(())
    }
}
