//! Entities of SeaORM, one per table.

use sea_orm::{EntityTrait, IdenStatic as _, Iterable as _};

pub(super) mod address;
pub(super) mod audit_event;
pub(super) mod change;
pub(super) mod cleanup;
pub(super) mod deleted_user;
pub(super) mod file;
pub(super) mod login_failure;
pub(super) mod object_store;
pub(super) mod one_time_code;
pub(super) mod orphaned_object;
pub(super) mod outbox;
pub(super) mod removal_notice;
pub(super) mod revoked_token;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod user;
pub(super) mod user_word;
pub(super) mod username_skeleton;

/// A table with the columns that its entity reads and writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
}

impl Table {
    fn of<E: EntityTrait>() -> Self {
        let columns = E::Column::iter().map(|column| column.as_str()).collect();
        Self { name: E::default().table_name(), columns }
    }
}

/// Returns all tables, by name.
pub(super) fn tables() -> [Table; 18] {
    [
        Table::of::<address::Entity>(),
        Table::of::<audit_event::Entity>(),
        Table::of::<change::Entity>(),
        Table::of::<cleanup::Entity>(),
        Table::of::<deleted_user::Entity>(),
        Table::of::<file::Entity>(),
        Table::of::<login_failure::Entity>(),
        Table::of::<object_store::Entity>(),
        Table::of::<one_time_code::Entity>(),
        Table::of::<orphaned_object::Entity>(),
        Table::of::<outbox::Entity>(),
        Table::of::<removal_notice::Entity>(),
        Table::of::<revoked_token::Entity>(),
        Table::of::<session::Entity>(),
        Table::of::<signing_key::Entity>(),
        Table::of::<user_word::Entity>(),
        Table::of::<username_skeleton::Entity>(),
        Table::of::<user::Entity>(),
    ]
}
