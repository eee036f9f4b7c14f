//! Uniqueness of usernames.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    Store, StoreError,
    entities::{
        user,
        username_skeleton::{self, Column},
    },
};
use crate::domain::username::Name;

impl Store {
    /// Returns whether a username is taken now. Inserting the account checks again.
    pub async fn is_taken(&self, name: &Name) -> Result<bool, StoreError> {
        let found = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::UsernameKey.eq(name.key.as_str()))
            .into_tuple::<Uuid>()
            .one(&self.read)
            .await?;
        if found.is_some() {
            return Ok(true);
        }
        let alike =
            username_skeleton::Entity::find_by_id(name.skeleton.as_str()).one(&self.read).await?;
        Ok(alike.is_some_and(|alike| !(alike.ascii && name.is_ascii)))
    }
}

/// Reserves the skeleton of a username. [`StoreError::Conflict`], and nothing done, if another
/// username has it and one of the two is not ASCII.
pub(super) async fn reserve(
    connection: &impl ConnectionTrait,
    name: &Name,
) -> Result<(), StoreError> {
    let mut conflict = OnConflict::column(Column::Skeleton);
    if name.is_ascii {
        conflict
            .update_column(Column::Ascii)
            .action_and_where(Expr::col((username_skeleton::Entity, Column::Ascii)).eq(true));
    } else {
        conflict.do_nothing();
    }
    let row = username_skeleton::ActiveModel {
        skeleton: Set(name.skeleton.clone()),
        ascii: Set(name.is_ascii),
    };
    let rows = username_skeleton::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(connection)
        .await?;
    if rows == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Releases the skeleton of a deleted account, unless another username has the same.
pub(super) async fn release(
    connection: &impl ConnectionTrait,
    skeleton: &str,
) -> Result<(), StoreError> {
    let other = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::UsernameSkeleton.eq(skeleton))
        .limit(1)
        .into_tuple::<Uuid>()
        .one(connection)
        .await?;
    if other.is_none() {
        username_skeleton::Entity::delete_by_id(skeleton).exec(connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use app::backend::ClientInfo;

    use super::*;
    use crate::store::{AuditEntry, Event, NewUser};

    fn name(key: &str, skeleton: &str) -> Name {
        Name { key: key.to_owned(), skeleton: skeleton.to_owned(), is_ascii: key.is_ascii() }
    }

    async fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite://{}", folder.path().join("names.sqlite").display()))
                .await
                .unwrap();
        (folder, store)
    }

    async fn register(store: &Store, name: &Name) -> bool {
        let new = NewUser {
            id: crate::clock::Env::system().uuid(),
            username: name.key.clone(),
            name: name.clone(),
            password_hash: String::new(),
            nickname: None,
            email: None,
            role: app::protocol::Role::User,
            created_at: 0,
        };
        let entry = AuditEntry::of(Event::Registered, 0, ClientInfo::default());
        match store.insert_user(new, entry).await {
            Ok(_) => true,
            Err(StoreError::Conflict) => false,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn insert_of_confusable_username_is_rejected_by_the_tables() {
        let names = [
            name("bob1", "bobl"),
            name("bobl", "bobl"),
            name("bo\u{432}l", "bobl"),
            name("b\u{43e}bl", "bobl"),
            name("eve", "eve"),
        ];
        for one in &names {
            for other in &names {
                let (_folder, store) = open().await;
                assert!(register(&store, one).await);
                assert_eq!(
                    store.is_taken(other).await.unwrap(),
                    other.is_taken_by(one),
                    "{one:?} {other:?}"
                );
                assert_eq!(
                    register(&store, other).await,
                    !other.is_taken_by(one),
                    "{one:?} {other:?}"
                );
            }
        }
    }
}
