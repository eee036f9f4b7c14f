//! Administrator commands.

pub mod audit;
mod audit_line;
pub mod backup;
mod datetime;
pub mod health;
pub mod keys;
pub mod mail;
pub mod output;
mod password;
pub mod restore;
pub mod seed;
mod terminal;
pub mod user;

use std::{io, path::PathBuf};

use crate::{
    clock::Env,
    config::Config,
    store::{OpenError, Place, Store, prepare_folder},
};

/// Opens the database, or creates it as the server does at its first start. Returns the path of a
/// database that was created.
async fn open_or_create(config: &Config) -> Result<(Store, Option<PathBuf>), OpenError> {
    let new = match Store::place_of(&config.database_url)? {
        Place::File(path) if !path.exists() => Some(path),
        _ => None,
    };
    if new.is_some() {
        prepare_folder(&config.data_dir).map_err(|source: io::Error| OpenError::File {
            path: config.data_dir.clone(),
            source,
        })?;
    }
    let store = Store::open(&config.database_url).await?;
    // The running server sends them.
    let store = if config.mail.is_some() { store.with_alerts(Env::system()) } else { store };
    Ok((store, new))
}
