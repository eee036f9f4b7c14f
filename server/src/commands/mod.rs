//! Administrator commands.

pub mod audit;
mod audit_line;
pub mod backup;
mod datetime;
pub mod health;
pub mod keys;
pub mod output;
mod password;
pub mod restore;
pub mod seed;
mod terminal;
pub mod user;

use std::{io, path::PathBuf};

use crate::{
    config::Config,
    store::{OpenError, Store, prepare_folder},
};

/// Opens the database, or creates it as the server does at its first start. Returns the path of a
/// database that was created.
async fn open_or_create(config: &Config) -> Result<(Store, Option<PathBuf>), OpenError> {
    let path = Store::path_of(&config.database_url)?;
    let is_new = !path.exists();
    if is_new {
        prepare_folder(&config.data_dir).map_err(|source: io::Error| OpenError::File {
            path: config.data_dir.clone(),
            source,
        })?;
    }
    Ok((Store::open(&config.database_url).await?, is_new.then_some(path)))
}
