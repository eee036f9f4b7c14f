//! Columns for reuse detection, and the audit log.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_sessions"
    }
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    UserId,
    EndedAt,
    CreatedAt,
    Acknowledged,
    Replaced,
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Id,
    At,
    Event,
    Outcome,
    UserId,
    SessionId,
    Address,
    UserAgent,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time. Existing sessions count as acknowledged: their users
        // are not suspected, and a late token of one is reported as reuse.
        let acknowledged =
            ColumnDef::new(Sessions::Acknowledged).boolean().not_null().default(true).to_owned();
        let replaced = ColumnDef::new(Sessions::Replaced).text().not_null().default("").to_owned();
        for column in [acknowledged, replaced] {
            manager
                .alter_table(Table::alter().table(Sessions::Table).add_column(column).to_owned())
                .await?;
        }
        // A login selects its user's oldest active sessions without a scan of the ended ones.
        manager
            .drop_index(Index::drop().name("sessions_by_user").table(Sessions::Table).to_owned())
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_by_user")
                    .table(Sessions::Table)
                    .col(Sessions::UserId)
                    .col(Sessions::EndedAt)
                    .col(Sessions::CreatedAt)
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(AuditEvents::Table)
                    .col(
                        ColumnDef::new(AuditEvents::Id)
                            .big_integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(ColumnDef::new(AuditEvents::At).big_integer().not_null())
                    .col(ColumnDef::new(AuditEvents::Event).string_len(32).not_null())
                    .col(ColumnDef::new(AuditEvents::Outcome).string_len(32).not_null())
                    // No foreign keys: entries outlive the rows that they refer to.
                    .col(ColumnDef::new(AuditEvents::UserId).uuid().null())
                    .col(ColumnDef::new(AuditEvents::SessionId).uuid().null())
                    .col(ColumnDef::new(AuditEvents::Address).string_len(45).null())
                    .col(ColumnDef::new(AuditEvents::UserAgent).string_len(256).null())
                    .to_owned(),
            )
            .await?;
        for (name, column) in [
            ("audit_events_by_time", AuditEvents::At),
            ("audit_events_by_user", AuditEvents::UserId),
        ] {
            let index = Index::create().name(name).table(AuditEvents::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
