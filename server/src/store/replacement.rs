//! Atomic replacement of the database and the files beside it, also across a crash.
//!
//! The new files are staged beside the old ones. Then a plan of the remaining renames is written in
//! one step; from there on, every process that opens the database completes the plan first.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{OpenError, Store, identity::beside, lock::DatabaseLock};

/// Exclusive use of a database while its files are replaced.
#[derive(Debug)]
pub struct Replacement {
    database: PathBuf,
    _lock: DatabaseLock,
}

/// A file or folder that is ready to be moved to its destination.
#[derive(Clone, Debug)]
pub struct StagedFile {
    /// Path of the new file.
    pub staged: PathBuf,
    /// Path that it replaces.
    pub destination: PathBuf,
}

/// Remaining renames, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Plan {
    moves: Vec<Move>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Move {
    from: PathBuf,
    to: PathBuf,
}

impl Replacement {
    /// Begins to replace the database at a URL. Completes an interrupted replacement, or removes
    /// the files that it has staged.
    ///
    /// # Errors
    ///
    /// [`OpenError::InUse`] if another process uses the database.
    pub fn begin(url: &str) -> Result<Self, OpenError> {
        let path = Store::path_of(url)?;
        let failed = |source| OpenError::File { path: path.clone(), source };
        let database = std::path::absolute(&path).map_err(failed)?;
        let Some(lock) = DatabaseLock::try_exclusive(&database)? else {
            return Err(OpenError::InUse { path });
        };
        finish(&database)?;
        let replacement = Self { database, _lock: lock };
        for left in database_files(&replacement.staged_database()) {
            remove_if_there(&left).map_err(failed)?;
        }
        Ok(replacement)
    }

    /// Returns the path of the staged database.
    #[must_use]
    pub fn staged_database(&self) -> PathBuf {
        beside(&self.database, "-restore")
    }

    /// Moves the staged database and the other staged files to their destinations. Former files are
    /// kept with `suffix` appended to their names; those names are returned.
    ///
    /// # Errors
    ///
    /// An error before the plan is written changes nothing; after that, the next process that opens
    /// the database completes the plan.
    pub fn commit(self, others: Vec<StagedFile>, suffix: &str) -> io::Result<Vec<PathBuf>> {
        let staged = self.staged_database();
        // The write-ahead log of the staged database was emptied when it was closed; no file of it
        // may be left.
        for path in database_files(&staged).into_iter().skip(1).chain([beside(&staged, "-lock")]) {
            remove_if_there(&path)?;
        }
        let mut plan = Plan::default();
        let mut former = Vec::new();
        // The write-ahead log is renamed with its database, to the name that SQLite expects.
        let aside = beside(&self.database, suffix);
        for (from, to) in
            database_files(&self.database).into_iter().zip(database_files(&aside)).rev()
        {
            if from.try_exists()? {
                plan.moves.push(Move { from, to });
            }
        }
        if self.database.try_exists()? {
            former.push(aside);
        }
        plan.moves.push(Move { from: staged, to: self.database.clone() });
        for StagedFile { staged, destination } in others {
            let (staged, destination) =
                (std::path::absolute(staged)?, std::path::absolute(destination)?);
            if destination.try_exists()? {
                let aside = beside(&destination, suffix);
                plan.moves.push(Move { from: destination.clone(), to: aside.clone() });
                former.push(aside);
            }
            plan.moves.push(Move { from: staged, to: destination });
        }
        write_plan(&self.database, &plan)?;
        carry_out(&self.database)?;
        Ok(former)
    }
}

/// Returns whether a replacement was interrupted after its plan was written.
pub(super) fn is_pending(database: &Path) -> bool {
    plan_of(database).exists()
}

/// Completes an interrupted replacement. Requires an exclusive lock.
pub(super) fn finish(database: &Path) -> Result<(), OpenError> {
    if !is_pending(database) {
        return Ok(());
    }
    tracing::warn!(database = %database.display(), "a restore was interrupted: it is finished now");
    carry_out(database).map_err(|source| OpenError::File { path: plan_of(database), source })
}

fn plan_of(database: &Path) -> PathBuf {
    beside(database, "-restore-plan")
}

/// Returns the paths of the database and of the files that SQLite keeps beside it.
fn database_files(database: &Path) -> Vec<PathBuf> {
    ["", "-journal", "-wal", "-shm"].map(|suffix| beside(database, suffix)).to_vec()
}

fn write_plan(database: &Path, plan: &Plan) -> io::Result<()> {
    let path = plan_of(database);
    let draft = beside(&path, ".draft");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec(plan)?)?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    sync_folder_of(&path)
}

/// Executes the plan. A move that was done already has no source any more, or has a destination: it
/// is skipped.
fn carry_out(database: &Path) -> io::Result<()> {
    let path = plan_of(database);
    let plan: Plan = serde_json::from_slice(&fs::read(&path)?)?;
    for Move { from, to } in &plan.moves {
        if from.try_exists()? && !to.try_exists()? {
            fs::rename(from, to)?;
        }
    }
    for Move { to, .. } in &plan.moves {
        sync_folder_of(to)?;
    }
    fs::remove_file(&path)?;
    sync_folder_of(&path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    /// Creates a database with a write-ahead log and a key file, and staged files for both.
    fn staged(folder: &Path) -> (Replacement, Vec<StagedFile>) {
        let database = folder.join("db");
        let replacement = Replacement::begin(&format!("sqlite://{}", database.display())).unwrap();
        fs::write(&database, "old").unwrap();
        fs::write(beside(&database, "-wal"), "old journal").unwrap();
        fs::write(folder.join("keys"), "old keys").unwrap();
        fs::write(replacement.staged_database(), "new").unwrap();
        fs::write(folder.join("keys.staged"), "new keys").unwrap();
        let others = vec![StagedFile {
            staged: folder.join("keys.staged"),
            destination: folder.join("keys"),
        }];
        (replacement, others)
    }

    fn assert_replaced(folder: &Path) {
        assert_eq!(content(&folder.join("db")), "new");
        assert_eq!(content(&folder.join("keys")), "new keys");
        assert!(
            !folder.join("db-wal").exists(),
            "the former journal must not lie beside the new database"
        );
        assert_eq!(content(&folder.join("db.before")), "old");
        assert_eq!(content(&folder.join("db.before-wal")), "old journal");
        assert_eq!(content(&folder.join("keys.before")), "old keys");
        assert!(!is_pending(&folder.join("db")));
    }

    #[test]
    fn commit_replaces_everything_and_keeps_the_former_files() {
        let folder = tempfile::tempdir().unwrap();
        let (replacement, others) = staged(folder.path());
        let former = replacement.commit(others, ".before").unwrap();
        assert_eq!(former, [folder.path().join("db.before"), folder.path().join("keys.before")]);
        assert_replaced(folder.path());
    }

    #[test]
    fn commit_interrupted_after_any_rename_is_finished_by_the_next_process() {
        let renames = 5;
        for done in 0..=renames {
            let folder = tempfile::tempdir().unwrap();
            let (replacement, others) = staged(folder.path());
            let database = replacement.database.clone();
            drop(replacement);
            // The plan that `commit` makes, executed up to this rename.
            let path = |name: &str| folder.path().join(name);
            let moves = [
                ("db-wal", "db.before-wal"),
                ("db", "db.before"),
                ("db-restore", "db"),
                ("keys", "keys.before"),
                ("keys.staged", "keys"),
            ];
            assert_eq!(others.len(), 1);
            let plan = Plan {
                moves: moves
                    .iter()
                    .map(|(from, to)| Move { from: path(from), to: path(to) })
                    .collect(),
            };
            write_plan(&database, &plan).unwrap();
            for (from, to) in &moves[..done] {
                fs::rename(path(from), path(to)).unwrap();
            }
            finish(&database).unwrap();
            assert_replaced(folder.path());
            finish(&database).unwrap();
        }
    }

    #[test]
    fn staged_files_without_a_plan_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (replacement, _) = staged(folder.path());
        let (database, staged) = (replacement.database.clone(), replacement.staged_database());
        drop(replacement);
        finish(&database).unwrap();
        assert_eq!(content(&database), "old");
        Replacement::begin(&format!("sqlite://{}", database.display())).unwrap();
        assert!(!staged.exists(), "the next restore removes what an interrupted one has left");
    }
}
