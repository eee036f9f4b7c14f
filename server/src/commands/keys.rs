//! `gatehouse keys`: manages the signing keys of tokens.

use std::io::{self, Write};

use clap::Subcommand;

use crate::{
    clock::{Env, utc},
    config::Config,
    store::{AuditEntry, Event, OpenError, Place, Store, StoreError},
    tokens::{
        algorithm::Algorithm,
        keys::{self, CONFIGURED, KeyChangeError, KeyError, KeyInfo, KeyRotation, KeyStatus},
    },
};

/// Subcommands of `gatehouse keys`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// List keys: key id, algorithm, state, and when retiring is safe; no secrets
    List,
    /// Create a new signing key; older keys keep verifying their tokens, no session is logged out
    Rotate,
    /// Remove a key that no longer signs; tokens signed with it are rejected from now on
    Retire {
        /// Key id (kid), as printed by `gatehouse keys list`
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Error of a `gatehouse keys` command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The key file is not in use. An error, so that a script does not take the rotation for done.
    #[error("tokens are signed with GATEHOUSE_JWT_SECRET: there is nothing to rotate or retire")]
    Configured,
    /// The keys.
    #[error(transparent)]
    Change(#[from] KeyChangeError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database: nothing was changed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The keys were changed without an audit entry.
    #[error("the keys were changed, but the audit log could not be written: {0}")]
    Audit(#[from] StoreError),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Runs the command.
pub async fn run(
    command: KeysCommand,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    match command {
        KeysCommand::List => list(config, env, out).await,
        KeysCommand::Rotate | KeysCommand::Retire { .. } if config.jwt_secret.is_some() => {
            Err(CommandError::Configured)
        }
        KeysCommand::Rotate => rotate(config, env, out).await,
        KeysCommand::Retire { kid } => retire(&kid, config, env, out).await,
    }
}

async fn list(config: &Config, env: &Env, out: &mut impl Write) -> Result<(), CommandError> {
    if config.jwt_secret.is_some() {
        write_row(out, ["KID", "ALGORITHM", "CREATED", "STATE", "SAFE TO RETIRE"])?;
        write_row(out, [CONFIGURED, Algorithm::Hs256.as_str(), "-", "signing", "-"])?;
        writeln!(
            out,
            "\nTokens are signed with GATEHOUSE_JWT_SECRET; the keys in {} are not used.",
            if is_shared(config) { "the database".to_owned() } else { file(config) }
        )?;
        return Ok(());
    }
    let keys = if is_shared(config) {
        let store = Store::open(&config.database_url).await?;
        let keys = config.shared_keys(&store)?.list().await;
        store.close_without_checkpoint().await;
        keys?
    } else {
        keys::list(&config.data_dir)?
    };
    if keys.is_empty() {
        let what = if is_shared(config) { "them".to_owned() } else { file(config) };
        writeln!(out, "There are no keys yet: the server creates {what} at its first start.")?;
        return Ok(());
    }
    write_row(out, ["KID", "ALGORITHM", "CREATED", "STATE", "SAFE TO RETIRE"])?;
    for key in &keys {
        let (state, safe) = match key.status {
            KeyStatus::Signing => ("signing", "-".to_owned()),
            KeyStatus::VerifyOnly { .. } => ("verify only", safe_to_retire(key, config, env)),
        };
        write_row(out, [&key.kid, key.algorithm.as_str(), &utc(key.created_at), state, &safe])?;
    }
    if let [_] = keys.as_slice() {
        writeln!(out, "\nOne key. There is nothing to retire.")?;
    } else {
        let longest = config.lifetimes.longest();
        writeln!(
            out,
            "\nA key is safe to retire once all tokens that it has signed have expired. With the current settings, tokens are"
        )?;
        writeln!(
            out,
            "valid for at most {longest} seconds. Holders of tokens of a retired key have to log in again."
        )?;
    }
    let signing = keys.iter().find(|key| key.status == KeyStatus::Signing).map(|key| key.algorithm);
    if signing.is_some_and(|algorithm| algorithm != config.jwt_algorithm) {
        writeln!(
            out,
            "GATEHOUSE_JWT_ALGORITHM is {}: the server creates a signing key for it at its next start.",
            config.jwt_algorithm
        )?;
    }
    Ok(())
}

async fn rotate(config: &Config, env: &Env, out: &mut impl Write) -> Result<(), CommandError> {
    let KeyRotation { signing, previous } = if is_shared(config) {
        let store = Store::open(&config.database_url).await?;
        let rotated = config.shared_keys(&store)?.rotate(config.jwt_algorithm, env).await;
        store.close_without_checkpoint().await;
        rotated?
    } else {
        let change = || keys::rotate(&config.data_dir, config.jwt_algorithm, env);
        audited(Event::KeyRotated, change, |rotated| &rotated.signing.kid, config, env).await?
    };
    writeln!(
        out,
        "Key {} ({}) is the new signing key; a running server applies it within a second.",
        signing.kid, signing.algorithm
    )?;
    if signing.algorithm != previous.algorithm {
        let (old, new) = (previous.algorithm, signing.algorithm);
        writeln!(
            out,
            "Note: the algorithm changed from {old} to {new}, as set by GATEHOUSE_JWT_ALGORITHM."
        )?;
    }
    writeln!(out, "Key {} keeps verifying its tokens; no session is logged out.", previous.kid)?;
    writeln!(
        out,
        "Safe to retire {}: gatehouse keys retire {}",
        safe_to_retire(&previous, config, env),
        previous.kid
    )?;
    Ok(())
}

async fn retire(
    kid: &str,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let retired = if is_shared(config) {
        let store = Store::open(&config.database_url).await?;
        let retired = config.shared_keys(&store)?.retire(kid, env).await;
        store.close_without_checkpoint().await;
        retired?
    } else {
        let change = || keys::retire(&config.data_dir, kid);
        audited(Event::KeyRetired, change, |retired| &retired.kid, config, env).await?
    };
    writeln!(out, "Retired key {kid}: its tokens are rejected from now on.")?;
    if !is_safe_to_retire(&retired, config, env) {
        writeln!(out, "Some of them may not have expired: their holders have to log in again.")?;
    }
    Ok(())
}

/// Returns whether the keys are in a database.
fn is_shared(config: &Config) -> bool {
    matches!(Store::place_of(&config.database_url), Ok(Place::Server(_)))
}

/// Returns the path of the key file.
fn file(config: &Config) -> String {
    config.data_dir.join(keys::FILE).display().to_string()
}

/// Changes the keys of the data folder and adds an audit entry with the key id. Changes nothing if
/// the database cannot be opened.
async fn audited<T>(
    event: Event,
    change: impl FnOnce() -> Result<T, KeyChangeError>,
    kid: impl FnOnce(&T) -> &str,
    config: &Config,
    env: &Env,
) -> Result<T, CommandError> {
    if keys::list(&config.data_dir)?.is_empty() {
        // Before a database is created in a wrong folder.
        return Err(KeyChangeError::Missing { path: config.data_dir.join(keys::FILE) }.into());
    }
    let store = Store::open(&config.database_url).await?;
    let done = match change() {
        Ok(changed) => {
            let entry = AuditEntry::of_key(event, env.now(), kid(&changed));
            let told = store.insert_audit_entry(entry).await;
            told.map(|()| changed).map_err(CommandError::from)
        }
        Err(error) => Err(error.into()),
    };
    store.close_without_checkpoint().await;
    done
}

fn is_safe_to_retire(key: &KeyInfo, config: &Config, env: &Env) -> bool {
    key.status.safe_to_retire_at(config.lifetimes.longest()).is_some_and(|at| at <= env.now())
}

fn safe_to_retire(key: &KeyInfo, config: &Config, env: &Env) -> String {
    match key.status.safe_to_retire_at(config.lifetimes.longest()) {
        Some(_) if is_safe_to_retire(key, config, env) => "now".to_owned(),
        Some(at) => format!("from {}", utc(at)),
        None => "unknown".to_owned(),
    }
}

fn write_row(
    out: &mut impl Write,
    [kid, algorithm, created, state, safe]: [&str; 5],
) -> io::Result<()> {
    writeln!(out, "{kid:12}  {algorithm:9}  {created:20}  {state:11}  {safe}")
}
