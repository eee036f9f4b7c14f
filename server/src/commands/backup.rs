//! `gatehouse backup`: writes everything that a restore needs to one file. The server may be
//! running.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::{Deserialize, Serialize};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    clock::Env,
    config::Config,
    store::{Inspection, OpenError, Store, StoreError, inspect},
    tokens::keys,
};

/// Version of the archive's layout.
pub(super) const FORMAT: u32 = 1;
/// Name of the description in an archive.
pub(super) const MANIFEST: &str = "backup.json";
/// Name of the database in an archive.
pub(super) const DATABASE: &str = "gatehouse.sqlite";
/// Folder of the uploaded files, in an archive and in the data folder.
pub(super) const OBJECTS: &str = "objects";
/// Maximum number of database snapshots. Another one is needed if a file was deleted while it was
/// copied.
const MAX_SNAPSHOTS: usize = 5;

/// Arguments of `gatehouse backup`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Error of `gatehouse backup`.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be copied.
    #[error("the database was not copied: {0}")]
    Store(#[from] StoreError),
    /// The database is damaged: its copy would be, too.
    #[error("the database is damaged and was not backed up: {0}")]
    Damaged(String),
    /// The file exists.
    #[error("{} exists; choose another name, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// Uploaded files were deleted faster than they were copied, or are missing.
    #[error("{missing} uploaded files that the database names are missing, among them {example}")]
    Missing {
        /// Number of missing files.
        missing: usize,
        /// Name of one.
        example: String,
    },
    /// The archive cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Description of an archive. It is written last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Version of the layout.
    pub format: u32,
    /// Version of Gatehouse that has written it.
    pub version: String,
    /// Seconds of Unix time at which the database was copied.
    pub created_at: i64,
    /// Set if the signing keys are included.
    pub keys: bool,
    /// Number of uploaded files; [`None`] if they are in an S3 store.
    pub objects: Option<usize>,
}

/// Writes an archive, whole or not at all, and prints what it holds.
pub async fn run(
    arguments: &Arguments,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), BackupError> {
    let Arguments { file, force } = arguments;
    // Refuses a database without a file.
    Store::path_of(&config.database_url)?;
    let write_error = |source| BackupError::Write { path: file.clone(), source };
    if !force && file.try_exists().map_err(write_error)? {
        return Err(BackupError::Exists(file.clone()));
    }
    let store = Store::open_existing(&config.database_url).await?;
    let written = write(file, *force, config, &store, env).await;
    store.close_without_checkpoint().await;
    let manifest = written?;
    let bytes = fs::metadata(file).map_err(write_error)?.len();
    let objects = match manifest.objects {
        Some(objects) => format!("{objects} uploaded files"),
        None => {
            "no uploaded files: they are kept in the S3 store, which has to be backed up by itself"
                .to_owned()
        }
    };
    let keys = if manifest.keys { "the signing keys" } else { "no signing keys" };
    writeln!(out, "Wrote {} ({bytes} bytes): the database, {keys} and {objects}.", file.display())?;
    writeln!(
        out,
        "It holds password hashes, personal data and keys: keep it where only you can read it."
    )?;
    Ok(())
}

async fn write(
    file: &Path,
    force: bool,
    config: &Config,
    store: &Store,
    env: &Env,
) -> Result<Manifest, BackupError> {
    let write_error = |source| BackupError::Write { path: file.to_owned(), source };
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // In the folder of the backup file: the archive is moved into place by a rename, and both are
    // readable by the owner only.
    let draft = tempfile::Builder::new()
        .prefix(".gatehouse-backup-")
        .tempfile_in(folder)
        .map_err(write_error)?;
    let scratch = tempfile::Builder::new()
        .prefix(".gatehouse-backup-")
        .tempdir_in(folder)
        .map_err(write_error)?;
    let mut archive =
        ZipWriter::new(BufWriter::new(draft.as_file().try_clone().map_err(write_error)?));

    let mut done = HashSet::new();
    let mut snapshots = 0;
    let (snapshot, created_at, objects) = loop {
        let snapshot = scratch.path().join(format!("{snapshots}.sqlite"));
        let created_at = env.now();
        store.write_snapshot(&snapshot).await?;
        let Inspection { problems, objects } = inspect(&snapshot).await?;
        if !problems.is_empty() {
            return Err(BackupError::Damaged(problems.join("; ")));
        }
        if config.s3.is_some() {
            break (snapshot, created_at, None);
        }
        // Rows are copied first: an upload in progress has no row yet. A missing file belongs to a
        // row that was deleted since, and is not in the next snapshot.
        let mut missing = Vec::new();
        for key in &objects {
            if !done.contains(key) {
                if add_file(
                    &mut archive,
                    &format!("{OBJECTS}/{key}"),
                    &config.uploads_dir.join(key),
                )
                .map_err(write_error)?
                {
                    done.insert(key.clone());
                } else {
                    missing.push(key.clone());
                }
            }
        }
        snapshots += 1;
        match missing.first() {
            None => break (snapshot, created_at, Some(objects.len())),
            Some(example) if snapshots == MAX_SNAPSHOTS => {
                return Err(BackupError::Missing {
                    missing: missing.len(),
                    example: example.clone(),
                });
            }
            Some(_) => fs::remove_file(&snapshot).map_err(write_error)?,
        }
    };
    // After the database: a key created since is harmless.
    let keys = add_file(&mut archive, keys::FILE, &config.data_dir.join(keys::FILE))
        .map_err(write_error)?;
    add_file(&mut archive, DATABASE, &snapshot).map_err(write_error)?;
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        keys,
        objects,
    };
    let finish = || -> io::Result<()> {
        archive.start_file(MANIFEST, options()).map_err(io_error)?;
        archive.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
        archive
            .finish()
            .map_err(io_error)?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    };
    finish().map_err(write_error)?;
    let kept = if force { draft.persist(file) } else { draft.persist_noclobber(file) };
    match kept {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(file.to_owned()));
        }
        kept => kept.map_err(|error| write_error(error.error))?,
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(write_error)?;
    Ok(manifest)
}

/// Adds a file under a name; `false` if it does not exist.
fn add_file(archive: &mut ZipWriter<BufWriter<File>>, name: &str, path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    archive.start_file(name, options()).map_err(io_error)?;
    io::copy(&mut file, archive)?;
    Ok(true)
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true)
        .unix_permissions(0o600)
}

/// Converts an archive error into an I/O error, whose message is more helpful.
pub(super) fn io_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::other(error),
    }
}
