//! Details of audit entries, such as a key id.

use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_audit_details"
    }
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Detail,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(AuditEvents::Table)
            .add_column(ColumnDef::new(AuditEvents::Detail).string_len(256).null())
            .to_owned();
        manager.alter_table(table).await
    }
}
