//! `gatehouse restore`: replaces database, keys and uploaded files by those of a backup. The server
//! must not be running.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufReader, Read as _, Write},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use app::backend::ClientInfo;
use clap::Args;
use zip::ZipArchive;

use super::{
    backup::{DATABASE, FORMAT, MANIFEST, Manifest, OBJECTS, io_error},
    user::CLI_ACTOR,
};
use crate::{
    clock::{Env, utc},
    config::Config,
    store::{
        AuditContext, Event, Inspection, OpenError, Replacement, StagedFile, Store, StoreError,
        inspect, prepare_folder,
    },
    tokens::keys::{self, KeyError},
};

/// Maximum size of the manifest in bytes.
const MAX_MANIFEST: u64 = 64 * 1024;

/// Arguments of `gatehouse restore`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// The file written by `gatehouse backup`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Keep the sessions of the backup active, also those that were ended since
    #[arg(long)]
    keep_sessions: bool,
}

/// Error of `gatehouse restore`.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The archive cannot be read, or is not a backup.
    #[error("{} is not a backup that can be restored ({reason}); nothing was changed", .path.display())]
    Archive {
        /// Its path.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// The archive has files, but an S3 store is configured, which this command does not write to.
    #[error(
        "{} has uploaded files, but GATEHOUSE_S3_ENDPOINT says that they are kept in an S3 store: unset it, or copy the folder {OBJECTS} of the archive to the store and make a backup there; nothing was changed", .path.display()
    )]
    ForS3 {
        /// The archive's path.
        path: PathBuf,
    },
    /// The database is in use, or cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The restored database cannot be used.
    #[error("the database of the backup cannot be used ({0}); nothing was changed")]
    Store(#[from] StoreError),
    /// The keys of the archive cannot be used.
    #[error("the keys of the backup cannot be used ({0}); nothing was changed")]
    Keys(#[from] KeyError),
    /// A file cannot be staged.
    #[error("{} cannot be written ({source}); nothing was changed", .path.display())]
    Stage {
        /// Its path.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },
    /// The staged files cannot be moved to their destinations.
    #[error(
        "the restore was interrupted ({0}). If it had begun to replace files, the next start or restore finishes it; otherwise nothing was changed"
    )]
    Commit(io::Error),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Paths of staged files.
struct Staging {
    keys: PathBuf,
    objects: PathBuf,
}

/// Runs the command: restores an archive atomically and prints what was replaced.
pub async fn run(
    arguments: &Arguments,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), RestoreError> {
    let path = &arguments.file;
    let unusable = |reason: String| RestoreError::Archive { path: path.clone(), reason };
    let file = File::open(path).map_err(|error| unusable(error.to_string()))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| unusable(io_error(error).to_string()))?;
    let manifest = read_manifest(&mut archive).map_err(|error| unusable(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(unusable(format!(
            "it was written by version {} of Gatehouse in another format",
            manifest.version
        )));
    }
    if config.s3.is_some() && manifest.objects.is_some_and(|objects| objects > 0) {
        return Err(RestoreError::ForS3 { path: path.clone() });
    }
    prepare_folder(&config.data_dir).map_err(|source| staging(&config.data_dir, source))?;
    let replacement = Replacement::begin(&config.database_url)?;
    let stage = Staging {
        keys: config.data_dir.join(format!("{}.restore", keys::FILE)),
        objects: staged_beside(&config.uploads_dir),
    };
    stage.clear().map_err(|(path, source)| staging(&path, source))?;
    if manifest.objects.is_some() && is_mount_point(&config.uploads_dir) {
        return Err(staging(&config.uploads_dir, io::ErrorKind::ResourceBusy.into()));
    }
    let staged = replacement.staged_database();
    extract(&mut archive, &stage, &staged).map_err(|(place, error)| match place {
        Some(place) => staging(&place, error),
        None => unusable(error.to_string()),
    })?;
    check(&manifest, &stage, &staged, path).await?;
    let ended = bring_up_to_date(&staged, &manifest, arguments.keep_sessions, env).await?;

    let mut others = Vec::new();
    if manifest.keys {
        others
            .push(StagedFile { staged: stage.keys, destination: config.data_dir.join(keys::FILE) });
    }
    if manifest.objects.is_some() {
        others.push(StagedFile { staged: stage.objects, destination: config.uploads_dir.clone() });
    }
    let suffix = format!(".before-{}", utc(env.now()).replace(['-', ':'], ""));
    let former = replacement.commit(others, &suffix).map_err(RestoreError::Commit)?;

    writeln!(out, "Restored the backup of {} from {}.", utc(manifest.created_at), path.display())?;
    if let Some(ended) = ended {
        writeln!(out, "Revoked sessions: {ended}. All users have to log in again.")?;
    }
    if !former.is_empty() {
        writeln!(out, "The former files were kept; delete them once they are no longer needed:")?;
        for path in former {
            writeln!(out, "  {}", path.display())?;
        }
    }
    Ok(())
}

fn staging(path: &Path, source: io::Error) -> RestoreError {
    RestoreError::Stage { path: path.to_owned(), source }
}

fn read_manifest(archive: &mut ZipArchive<BufReader<File>>) -> io::Result<Manifest> {
    let mut bytes = Vec::new();
    archive.by_name(MANIFEST).map_err(io_error)?.take(MAX_MANIFEST).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

impl Staging {
    /// Deletes files that an interrupted restore has left, and creates the folders.
    fn clear(&self) -> Result<(), (PathBuf, io::Error)> {
        let gone = |path: &Path, removed: io::Result<()>| match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err((path.to_owned(), error)),
            _ => Ok(()),
        };
        gone(&self.keys, fs::remove_file(&self.keys))?;
        gone(&self.objects, fs::remove_dir_all(&self.objects))?;
        make_folder(&self.objects).map_err(|error| (self.objects.clone(), error))
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Extracts an archive to the staging paths. An error has the path that could not be written, or
/// none if the archive could not be read. Reading an entry to its end checks its checksum.
fn extract(
    archive: &mut ZipArchive<BufReader<File>>,
    stage: &Staging,
    database: &Path,
) -> Result<(), (Option<PathBuf>, io::Error)> {
    let mut folders = vec![stage.objects.clone()];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| (None, io_error(error)))?;
        let unsafe_name = || (None, io::Error::other("an entry has an unsafe path"));
        let name = entry.enclosed_name().ok_or_else(unsafe_name)?;
        let place = if name == Path::new(MANIFEST) {
            continue;
        } else if name == Path::new(DATABASE) {
            database.to_owned()
        } else if name == Path::new(keys::FILE) {
            stage.keys.clone()
        } else if let Ok(key) = name.strip_prefix(OBJECTS) {
            stage.objects.join(key)
        } else {
            return Err((
                None,
                io::Error::other(format!("{} is not part of a backup", name.display())),
            ));
        };
        let failed = |error| (Some(place.clone()), error);
        if let Some(folder) = place.parent().filter(|_| place.starts_with(&stage.objects)) {
            make_folder(folder).map_err(failed)?;
            folders.push(folder.to_owned());
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&place)
            .map_err(failed)?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let read = entry.read(&mut buffer).map_err(|error| (None, error))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            file.write_all(bytes).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
    }
    folders.sort();
    folders.dedup();
    for folder in folders {
        File::open(&folder)
            .and_then(|opened| opened.sync_all())
            .map_err(|error| (Some(folder), error))?;
    }
    Ok(())
}

/// Checks that the staged files are complete and sound.
async fn check(
    manifest: &Manifest,
    stage: &Staging,
    database: &Path,
    path: &Path,
) -> Result<(), RestoreError> {
    let unusable = |reason: String| RestoreError::Archive { path: path.to_owned(), reason };
    if !database.exists() {
        return Err(unusable("it has no database".to_owned()));
    }
    let Inspection { problems, objects } = inspect(database).await?;
    if !problems.is_empty() {
        return Err(unusable(format!("its database is damaged: {}", problems.join("; "))));
    }
    if manifest.keys {
        keys::check_file(&stage.keys)?;
    }
    if manifest.objects.is_some()
        && let Some(missing) = objects.iter().find(|key| !stage.objects.join(key).exists())
    {
        return Err(unusable(format!("it lacks the uploaded file {missing}")));
    }
    Ok(())
}

/// Migrates the staged database and revokes its sessions, so that sessions that were ended after
/// the backup stay ended. Returns the number of revoked sessions.
async fn bring_up_to_date(
    staged: &Path,
    manifest: &Manifest,
    keeps_sessions: bool,
    env: &Env,
) -> Result<Option<u64>, RestoreError> {
    let store = Store::open(&format!("sqlite://{}", staged.display())).await?;
    let context = AuditContext {
        at: env.now(),
        by: CLI_ACTOR.to_owned(),
        client_info: ClientInfo::default(),
    };
    let detail = format!("restored a backup of {}", utc(manifest.created_at));
    let entry = context.entry(Event::SessionRevoked, None, Some(&detail));
    let ended = if keeps_sessions {
        store.insert_audit_entry(entry).await.map(|()| None)
    } else {
        store.end_all_sessions(entry).await.map(Some)
    };
    store.close().await;
    Ok(ended?)
}

/// Returns whether a folder is on another file system than the one that contains it: then it cannot
/// be renamed.
fn is_mount_point(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let parent = folder.parent().and_then(device);
    device(folder).is_some_and(|folder| parent.is_some_and(|parent| parent != folder))
}

/// Path on the same file system, from which a folder can be renamed into its place.
fn staged_beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".restore");
    folder.with_file_name(name)
}
