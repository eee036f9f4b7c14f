//! How the tables came to be. A migration that has been released is never changed: another one follows it.

use sea_orm_migration::prelude::*;

mod m0001_core;
mod m0002_sessions;
mod m0003_login_failures;
mod m0004_username_skeletons;
mod m0005_audit_details;
mod m0006_profiles;
mod m0007_devices;
mod m0008_files;
mod m0009_admin;
mod m0010_cleanup;
mod m0011_device_epoch;

pub(super) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_core::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_login_failures::Migration),
            Box::new(m0004_username_skeletons::Migration),
            Box::new(m0005_audit_details::Migration),
            Box::new(m0006_profiles::Migration),
            Box::new(m0007_devices::Migration),
            Box::new(m0008_files::Migration),
            Box::new(m0009_admin::Migration),
            Box::new(m0010_cleanup::Migration),
            Box::new(m0011_device_epoch::Migration),
        ]
    }
}
