//! Snapshots of the database for backups, and the inspection of a snapshot.

use std::path::Path;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DbErr, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Statement,
};

use super::{
    AuditEntry, OpenError, Store, StoreError, StoredFile, audit,
    connection::open_error,
    entities::{file, session, user},
    files::avatar_keys,
    journal, sessions,
};
use crate::domain::session::EndReason;

/// Rows per query.
const PAGE: u64 = 1000;

impl Store {
    /// Writes a consistent copy of the database to a new file. Other connections may write
    /// meanwhile.
    pub async fn write_snapshot(&self, to: &Path) -> Result<(), StoreError> {
        let Some(to) = to.to_str() else {
            return Err(StoreError::Unavailable(DbErr::Custom(format!(
                "{} is not UTF-8",
                to.display()
            ))));
        };
        let backend = self.read.get_database_backend();
        self.read
            .execute_raw(Statement::from_sql_and_values(backend, "VACUUM INTO ?", [to.into()]))
            .await?;
        Ok(())
    }

    /// Ends all active sessions, adds `entry` to the audit log, and returns the number of sessions.
    pub async fn end_all_sessions(&self, entry: AuditEntry) -> Result<u64, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let all = session::Column::EndedAt.is_null();
                    let ended = sessions::end(all, EndReason::EndedElsewhere, entry.at)
                        .exec(transaction)
                        .await?;
                    audit::insert(transaction, entry).await?;
                    Ok(ended.rows_affected)
                })
            })
            .await
    }
}

/// Result of [`inspect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Findings of SQLite's checks; empty if the file is sound.
    pub problems: Vec<String>,
    /// Object keys that its rows reference.
    pub objects: Vec<String>,
}

/// Checks a database file that no process writes to, and lists the objects that it references.
///
/// # Errors
///
/// [`OpenError`] if the file is not a database or cannot be read.
pub async fn inspect(path: &Path) -> Result<Inspection, OpenError> {
    let connection = journal::connect(path).await.map_err(|source| open_error(path, source))?;
    let inspected = async {
        let problems = journal::problems(&connection).await?;
        let objects =
            if problems.is_empty() { object_keys(&connection).await? } else { Vec::new() };
        Ok(Inspection { problems, objects })
    };
    let inspected = inspected.await.map_err(|source| open_error(path, source));
    connection.close().await.map_err(|source| open_error(path, source))?;
    inspected
}

async fn object_keys(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let avatars: Vec<Option<String>> = user::Entity::find()
        .select_only()
        .column(user::Column::AvatarUrl)
        .filter(user::Column::AvatarUrl.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    let mut keys: Vec<String> = avatars.iter().flatten().flat_map(|url| avatar_keys(url)).collect();
    let mut last = None;
    loop {
        let mut page = file::Entity::find().order_by_asc(file::Column::Id).limit(PAGE);
        if let Some(last) = last {
            page = page.filter(file::Column::Id.gt(last));
        }
        let rows = page.all(connection).await?;
        let Some(newest) = rows.last() else { return Ok(keys) };
        last = Some(newest.id);
        keys.extend(rows.into_iter().flat_map(|row| StoredFile::from(row).keys()));
    }
}
