//! What people keep here, as rows: the bytes lie beside the database, under the keys that are made
//! here.

use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Store, StoreError, audit,
    cleanup::PORTION,
    entities::{
        file::{self, Column},
        user,
    },
    strays,
};

/// A picture that a person keeps here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// A UUIDv7.
    pub id: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub size: i64,
    /// Its bytes with those that were made of it: what counts against the quota.
    pub stored_bytes: i64,
    /// Pixels, the right side up.
    pub width: i32,
    /// Pixels, the right side up.
    pub height: i32,
    /// Seconds of Unix time.
    pub created_at: i64,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was made.
    Done,
    /// The person's files would take up more than they may.
    OverQuota,
    /// The user has as many files as may be kept.
    OverCount,
}

/// Limits of what a user may keep.
#[derive(Clone, Copy, Debug)]
pub struct FilesMax {
    /// Files.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: i64,
}

/// What a user keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilesUsage {
    /// Files.
    pub files: u64,
    /// Bytes of all of them.
    pub bytes: i64,
}

impl FilesUsage {
    /// Why one more file cannot be kept, where it cannot.
    #[must_use]
    pub fn refuses(&self, file: &StoredFile, most: FilesMax) -> Option<Kept> {
        if self.files >= most.files {
            Some(Kept::OverCount)
        } else if self.bytes.saturating_add(file.stored_bytes) > most.bytes {
            Some(Kept::OverQuota)
        } else {
            None
        }
    }
}

impl StoredFile {
    /// Where its bytes are.
    #[must_use]
    pub fn key(&self) -> String {
        format!("files/{}/{}", self.user, self.id)
    }

    /// Where the small picture of it is.
    #[must_use]
    pub fn thumbnail_key(&self) -> String {
        format!("files/{}/{}-small.jpg", self.user, self.id)
    }

    /// All of its objects.
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

/// The objects of a picture of a person, by its address.
pub(super) fn avatar_keys(url: &str) -> Vec<String> {
    let large = url.trim_start_matches('/');
    vec![large.to_owned(), large.replace("-512.", "-96.")]
}

impl Store {
    /// Keeps a file whose objects are there, unless that were more than a user may keep.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn insert_file(
        &self,
        actor: Actor,
        file: StoredFile,
        most: FilesMax,
    ) -> Result<Kept, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                // Nothing comes in between: of two uploads at the same time, the second sees the
                // first.
                if let Some(refusal) = usage(transaction, file.user).await?.refuses(&file, most) {
                    return Ok(refusal);
                }
                strays::adopt(transaction, file.keys()).await?;
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
                Ok(Kept::Done)
            })
        })
        .await
    }

    /// A person's files that came before the one with this id, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
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

    /// A file of a person. That of another person is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn file(&self, user: Uuid, id: Uuid) -> Result<Option<StoredFile>, StoreError> {
        let row =
            file::Entity::find_by_id(id).filter(Column::UserId.eq(user)).one(&self.read).await?;
        Ok(row.map(StoredFile::from))
    }

    /// Number and bytes of a user's files.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn files_usage(&self, user: Uuid) -> Result<FilesUsage, StoreError> {
        usage(&self.read, user).await
    }

    /// Removes a file of the actor and returns it; `None` where there is none. Its objects are
    /// orphans from then on.
    ///
    /// # Errors
    ///
    /// [`ActError`]
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
                strays::abandon(transaction, file.keys(), actor.at).await?;
                Ok(Some(file))
            })
        })
        .await
    }

    /// Sets or removes the actor's avatar and returns the object keys of the former one. `None`
    /// where there is no such account.
    ///
    /// # Errors
    ///
    /// [`ActError`]
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
                strays::adopt(transaction, url.as_deref().map(avatar_keys).unwrap_or_default())
                    .await?;
                strays::abandon(transaction, former.clone(), entry.at).await?;
                user::Entity::update_many()
                    .col_expr(user::Column::AvatarUrl, Expr::value(url))
                    .filter(user::Column::Id.eq(user))
                    .exec(transaction)
                    .await?;
                audit::insert(transaction, entry).await?;
                Ok(Some(former))
            })
        })
        .await
    }
}

async fn usage(connection: &impl ConnectionTrait, user: Uuid) -> Result<FilesUsage, StoreError> {
    let found = file::Entity::find()
        .select_only()
        .expr(Column::Id.count())
        .expr(Column::StoredBytes.sum())
        .filter(Column::UserId.eq(user))
        .into_tuple::<(i64, Option<i64>)>()
        .one(connection)
        .await?;
    let (files, bytes) = found.unwrap_or_default();
    Ok(FilesUsage { files: files.unsigned_abs(), bytes: bytes.unwrap_or_default() })
}

/// Part of the end of an account: the objects of its picture are orphans from then on.
pub(super) async fn abandon_avatar(
    connection: &impl ConnectionTrait,
    url: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    strays::abandon(connection, url.map(avatar_keys).unwrap_or_default(), now).await
}

/// Part of the end of an account: removes a portion of its files, and returns its size. The objects
/// are orphans from then on, and are removed by
/// [`FileService::sweep`](crate::files::FileService::sweep).
pub(super) async fn abandon_portion(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<u64, StoreError> {
    let rows =
        file::Entity::find().filter(Column::UserId.eq(user)).limit(PORTION).all(connection).await?;
    let files: Vec<_> = rows.into_iter().map(StoredFile::from).collect();
    if files.is_empty() {
        return Ok(0);
    }
    strays::abandon(connection, files.iter().flat_map(StoredFile::keys).collect(), now).await?;
    let ids = files.iter().map(|file| file.id);
    Ok(file::Entity::delete_many()
        .filter(Column::Id.is_in(ids))
        .exec(connection)
        .await?
        .rows_affected)
}
