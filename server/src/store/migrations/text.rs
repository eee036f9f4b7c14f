//! Columns of text that mean the same in both databases.

use sea_orm_migration::prelude::{ColumnDef, IntoIden, sea_orm::DbBackend};

/// Text, compared by its bytes. SQLite does so by default; PostgreSQL would compare by the rules of
/// a language, with another order and without prefix searches on indexes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    backend: DbBackend,
}

impl Text {
    pub(super) fn of(backend: DbBackend) -> Self {
        Self { backend }
    }

    pub(super) fn is_postgres(self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// A column that is `NOT NULL`.
    pub(super) fn column(self, name: impl IntoIden) -> ColumnDef {
        let mut column = ColumnDef::new(name).string().not_null().take();
        if self.backend == DbBackend::Postgres {
            column.extra(r#"COLLATE "C""#);
        }
        column
    }
}
