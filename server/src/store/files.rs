//! Rows of uploaded files and avatars. The bytes are in the object store, under the keys that are
//! derived here.

use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait,
    EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Store, StoreError, audit, changes,
    cleanup::BATCH,
    entities::{
        file::{self, Column},
        user,
    },
    orphans,
};

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// A UUIDv7.
    pub id: Uuid,
    /// Owner.
    pub user: Uuid,
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: i64,
    /// Size with the thumbnail, in bytes: counts against the quota.
    pub stored_bytes: i64,
    /// Pixels, after the orientation was applied.
    pub width: i32,
    /// Pixels, after the orientation was applied.
    pub height: i32,
    /// Seconds of Unix time.
    pub created_at: i64,
}

/// Outcome of [`Store::insert_file`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertFileOutcome {
    /// The row was inserted.
    Inserted,
    /// The quota in bytes would be exceeded.
    OverQuota,
    /// The user has the maximum number of files.
    OverCount,
}

/// Storage limits of a user.
#[derive(Clone, Copy, Debug)]
pub struct FileLimits {
    /// Number of files.
    pub files: u64,
    /// Total size in bytes.
    pub bytes: i64,
}

/// Storage used by a user.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileUsage {
    /// Number of files.
    pub files: u64,
    /// Total size in bytes.
    pub bytes: i64,
}

impl FileUsage {
    /// Returns why one more file would exceed the limits; [`None`] if it does not.
    #[must_use]
    pub fn refuses(&self, file: &StoredFile, most: FileLimits) -> Option<InsertFileOutcome> {
        if self.files >= most.files {
            Some(InsertFileOutcome::OverCount)
        } else if self.bytes.saturating_add(file.stored_bytes) > most.bytes {
            Some(InsertFileOutcome::OverQuota)
        } else {
            None
        }
    }
}

impl StoredFile {
    /// Object key of the file.
    #[must_use]
    pub fn key(&self) -> String {
        format!("files/{}/{}", self.user, self.id)
    }

    /// Object key of the thumbnail.
    #[must_use]
    pub fn thumbnail_key(&self) -> String {
        format!("files/{}/{}-small.jpg", self.user, self.id)
    }

    /// Keys of all its objects.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        vec![self.key(), self.thumbnail_key()]
    }
}

impl From<file::Model> for StoredFile {
    fn from(row: file::Model) -> Self {
        let file::Model {
            id,
            user_id,
            name,
            media_type,
            size,
            stored_bytes,
            width,
            height,
            created_at,
        } = row;
        Self { id, user: user_id, name, media_type, size, stored_bytes, width, height, created_at }
    }
}

/// Returns the object keys of an avatar with this URL.
pub(super) fn avatar_keys(url: &str) -> Vec<String> {
    let large = url.trim_start_matches('/');
    vec![large.to_owned(), large.replace("-512.", "-96.")]
}

impl Store {
    /// Inserts the row of a file whose objects have been written, unless a limit would be exceeded.
    pub async fn insert_file(
        &self,
        actor: Actor,
        file: StoredFile,
        most: FileLimits,
    ) -> Result<InsertFileOutcome, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                // Writes are serialized: of two concurrent uploads, the second sees the first.
                if let Some(refusal) = usage(transaction, file.user).await?.refuses(&file, most) {
                    return Ok(refusal);
                }
                orphans::unmark(transaction, file.keys()).await?;
                let row = file::ActiveModel {
                    id: Set(file.id),
                    user_id: Set(file.user),
                    name: Set(file.name),
                    media_type: Set(file.media_type),
                    size: Set(file.size),
                    stored_bytes: Set(file.stored_bytes),
                    width: Set(file.width),
                    height: Set(file.height),
                    created_at: Set(file.created_at),
                };
                row.insert(transaction).await?;
                Ok(InsertFileOutcome::Inserted)
            })
        })
        .await
    }

    /// Returns a user's files that are older than the one with this id, newest first.
    pub async fn files(
        &self,
        user: Uuid,
        before: Option<Uuid>,
        at_most: u64,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let wanted = Condition::all()
            .add(Column::UserId.eq(user))
            .add_option(before.map(|id| Column::Id.lt(id)));
        let rows = file::Entity::find()
            .filter(wanted)
            .order_by_desc(Column::Id)
            .limit(at_most)
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().map(StoredFile::from).collect())
    }

    /// Returns a file of this user; [`None`] also for another user's file.
    pub async fn file(&self, user: Uuid, id: Uuid) -> Result<Option<StoredFile>, StoreError> {
        let row =
            file::Entity::find_by_id(id).filter(Column::UserId.eq(user)).one(&self.read).await?;
        Ok(row.map(StoredFile::from))
    }

    /// Returns number and total size of a user's files.
    pub async fn files_usage(&self, user: Uuid) -> Result<FileUsage, StoreError> {
        usage(&self.read, user).await
    }

    /// Deletes a file of the actor and returns it; [`None`] if it does not exist. Its objects are
    /// orphaned from then on.
    pub async fn remove_file(
        &self,
        actor: Actor,
        id: Uuid,
    ) -> Result<Option<StoredFile>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let of_actor = file::Entity::find_by_id(id).filter(Column::UserId.eq(actor.user));
                let Some(file) = of_actor.one(transaction).await?.map(StoredFile::from) else {
                    return Ok(None);
                };
                file::Entity::delete_by_id(id).exec(transaction).await?;
                orphans::mark_orphaned(transaction, file.keys(), actor.at).await?;
                Ok(Some(file))
            })
        })
        .await
    }

    /// Sets or removes the actor's avatar and returns the object keys of the former one. [`None`]
    /// if the account does not exist.
    pub async fn set_avatar(
        &self,
        actor: Actor,
        url: Option<String>,
        entry: AuditEntry,
    ) -> Result<Option<Vec<String>>, ActError> {
        let user = actor.user;
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let Some(row) = user::Entity::find_by_id(user).one(transaction).await? else {
                    return Ok(None);
                };
                let former: Vec<_> = row.avatar_url.as_deref().map(avatar_keys).unwrap_or_default();
                if row.avatar_url == url {
                    return Ok(Some(Vec::new()));
                }
                orphans::unmark(transaction, url.as_deref().map(avatar_keys).unwrap_or_default())
                    .await?;
                orphans::mark_orphaned(transaction, former.clone(), entry.at).await?;
                user::Entity::update_many()
                    .col_expr(user::Column::AvatarUrl, Expr::value(url))
                    .filter(user::Column::Id.eq(user))
                    .exec(transaction)
                    .await?;
                changes::record(transaction, [Change::Account(user)]).await?;
                audit::insert(transaction, entry).await?;
                Ok(Some(former))
            })
        })
        .await
    }
}

async fn usage(connection: &impl ConnectionTrait, user: Uuid) -> Result<FileUsage, StoreError> {
    let found = file::Entity::find()
        .select_only()
        .expr(Column::Id.count())
        // PostgreSQL's sum of bigint is numeric.
        .expr(Expr::col(Column::StoredBytes).sum().cast_as("bigint"))
        .filter(Column::UserId.eq(user))
        .into_tuple::<(i64, Option<i64>)>()
        .one(connection)
        .await?;
    let (files, bytes) = found.unwrap_or_default();
    Ok(FileUsage { files: files.unsigned_abs(), bytes: bytes.unwrap_or_default() })
}

/// Marks the avatar objects of a deleted account as orphaned.
pub(super) async fn mark_avatar_orphaned(
    connection: &impl ConnectionTrait,
    url: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    orphans::mark_orphaned(connection, url.map(avatar_keys).unwrap_or_default(), now).await
}

/// Deletes a batch of the files of a deleted account and returns its size. The objects are orphaned
/// from then on; the orphan sweep deletes them.
pub(super) async fn delete_batch(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<u64, StoreError> {
    let rows =
        file::Entity::find().filter(Column::UserId.eq(user)).limit(BATCH).all(connection).await?;
    let files: Vec<_> = rows.into_iter().map(StoredFile::from).collect();
    if files.is_empty() {
        return Ok(0);
    }
    orphans::mark_orphaned(connection, files.iter().flat_map(StoredFile::keys).collect(), now)
        .await?;
    let ids = files.iter().map(|file| file.id);
    Ok(file::Entity::delete_many()
        .filter(Column::Id.is_in(ids))
        .exec(connection)
        .await?
        .rows_affected)
}
