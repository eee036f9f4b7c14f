//! Pictures that administrators remove, and the notices of it to their owners.

use app::protocol::moderation::{RemovalNotice, RemovalReason};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditContext, Change, Event, Store, StoreError, StoredFile, audit, changes,
    entities::{
        file,
        removal_notice::{self, Column},
        user,
    },
    files::avatar_keys,
    orphans,
};

/// Largest number of notices that a user is shown.
const SHOWN: u64 = 100;

/// Removal of a picture by an administrator.
#[derive(Clone, Debug)]
pub struct PictureRemoval {
    /// Id of the notice: a UUIDv7.
    pub notice: Uuid,
    /// Owner of the picture.
    pub user: Uuid,
    /// The file; [`None`] for the avatar.
    pub file: Option<Uuid>,
    /// The reason.
    pub reason: RemovalReason,
    /// Explanation for the owner.
    pub text: Option<String>,
}

impl TryFrom<removal_notice::Model> for RemovalNotice {
    type Error = StoreError;

    fn try_from(row: removal_notice::Model) -> Result<Self, StoreError> {
        let reason = RemovalReason::parse(&row.reason)
            .ok_or_else(|| StoreError::Unreadable(format!("the reason {:?}", row.reason)))?;
        let removal_notice::Model { id, file_name, text, created_at, .. } = row;
        Ok(Self { id, file_name, reason, text, created_at })
    }
}

impl Store {
    /// Removes a picture, leaves its owner a notice, and returns the object keys of the picture,
    /// which are orphaned from then on. [`None`] if there is no such picture.
    pub async fn remove_picture(
        &self,
        actor: Actor,
        removal: PictureRemoval,
        context: AuditContext,
    ) -> Result<Option<Vec<String>>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { remove(transaction, removal, &context).await })
        })
        .await
    }

    /// Returns the notices to a user, newest first.
    pub async fn removal_notices(&self, user: Uuid) -> Result<Vec<RemovalNotice>, StoreError> {
        let rows = removal_notice::Entity::find()
            .filter(Column::UserId.eq(user))
            .order_by_desc(Column::Id)
            .limit(SHOWN)
            .all(&self.read)
            .await?;
        rows.into_iter().map(RemovalNotice::try_from).collect()
    }

    /// Returns the number of notices to a user.
    pub async fn count_removal_notices(&self, user: Uuid) -> Result<u64, StoreError> {
        let of_user = removal_notice::Entity::find().filter(Column::UserId.eq(user));
        Ok(of_user.count(&self.read).await?)
    }

    /// Deletes a notice to the actor. Returns whether there was one.
    pub async fn dismiss_notice(&self, actor: Actor, id: Uuid) -> Result<bool, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let deleted = removal_notice::Entity::delete_many()
                    .filter(Column::Id.eq(id))
                    .filter(Column::UserId.eq(actor.user))
                    .exec(transaction)
                    .await?;
                Ok(deleted.rows_affected > 0)
            })
        })
        .await
    }
}

async fn remove(
    connection: &impl ConnectionTrait,
    removal: PictureRemoval,
    context: &AuditContext,
) -> Result<Option<Vec<String>>, StoreError> {
    let PictureRemoval { notice, user, file, reason, text } = removal;
    let (keys, file_name, what) = if let Some(id) = file {
        let of_user = file::Entity::find_by_id(id).filter(file::Column::UserId.eq(user));
        let Some(file) = of_user.one(connection).await?.map(StoredFile::from) else {
            return Ok(None);
        };
        file::Entity::delete_by_id(id).exec(connection).await?;
        (file.keys(), Some(file.name), "file")
    } else {
        let Some(account) = user::Entity::find_by_id(user).one(connection).await? else {
            return Ok(None);
        };
        let Some(url) = account.avatar_url else { return Ok(None) };
        user::Entity::update_many()
            .col_expr(user::Column::AvatarUrl, Expr::value(None::<String>))
            .filter(user::Column::Id.eq(user))
            .exec(connection)
            .await?;
        changes::record(connection, [Change::Account(user)]).await?;
        (avatar_keys(&url), None, "avatar")
    };
    orphans::mark_orphaned(connection, keys.clone(), context.at).await?;
    let row = removal_notice::ActiveModel {
        id: Set(notice),
        user_id: Set(user),
        file_name: Set(file_name),
        reason: Set(reason.as_str().to_owned()),
        text: Set(text),
        created_at: Set(context.at),
    };
    row.insert(connection).await?;
    let detail = format!("{what} {}", reason.as_str());
    let entry = context.entry(Event::PictureRemoved, Some(user), Some(&detail));
    audit::insert(connection, entry).await?;
    Ok(Some(keys))
}

/// Deletes the notices to a deleted account.
pub(super) async fn delete_all(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<(), StoreError> {
    removal_notice::Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}
