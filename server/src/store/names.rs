//! Uniqueness of usernames.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    NewUser, Store, StoreError, addresses,
    bulk_insert::{self, ROWS_PER_STATEMENT},
    entities::{
        user,
        username_skeleton::{self, Column},
    },
};
use crate::domain::username::Name;

impl Store {
    /// Returns whether a username is taken now, or an account has verified the address that it is.
    /// Inserting the account checks again.
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
        if name.key.contains('@') && self.owner_of_address(&name.key).await?.is_some() {
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

/// Reserves the skeletons of the accounts whose usernames are free, also among each other, and
/// returns these accounts.
pub(super) async fn reserve_all(
    connection: &impl ConnectionTrait,
    all: Vec<NewUser>,
) -> Result<Vec<NewUser>, StoreError> {
    let (mut taken, mut skeletons) = (HashSet::new(), HashMap::new());
    for part in all.chunks(ROWS_PER_STATEMENT) {
        let keys = part.iter().map(|new| new.name.key.as_str());
        let found: Vec<String> = user::Entity::find()
            .select_only()
            .column(user::Column::UsernameKey)
            .filter(user::Column::UsernameKey.is_in(keys.clone()))
            .into_tuple()
            .all(connection)
            .await?;
        taken.extend(found);
        taken.extend(addresses::verified_among(connection, keys).await?);
        let alike = part.iter().map(|new| new.name.skeleton.as_str());
        let found = username_skeleton::Entity::find()
            .filter(Column::Skeleton.is_in(alike))
            .all(connection)
            .await?;
        skeletons.extend(found.into_iter().map(|row| (row.skeleton, row.ascii)));
    }
    let mut reserved = BTreeMap::new();
    let free = all.into_iter().filter(|NewUser { name, .. }| {
        let is_alike = match skeletons.get(&name.skeleton) {
            Some(is_ascii) => !(*is_ascii && name.is_ascii),
            None => false,
        };
        if is_alike || !taken.insert(name.key.clone()) {
            return false;
        }
        if skeletons.insert(name.skeleton.clone(), name.is_ascii).is_none() {
            reserved.insert(name.skeleton.clone(), name.is_ascii);
        }
        true
    });
    let free = free.collect();
    let row = |(skeleton, is_ascii)| username_skeleton::ActiveModel {
        skeleton: Set(skeleton),
        ascii: Set(is_ascii),
    };
    bulk_insert::insert(connection, reserved.into_iter().map(row)).await?;
    Ok(free)
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
    use crate::store::{AuditEntry, Event};

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

    fn new_user(name: &Name) -> NewUser {
        NewUser {
            id: crate::clock::Env::system().uuid(),
            username: name.key.clone(),
            name: name.clone(),
            password_hash: String::new(),
            nickname: None,
            email: None,
            role: app::protocol::Role::User,
            created_at: 0,
        }
    }

    async fn register(store: &Store, name: &Name) -> bool {
        let new = new_user(name);
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

    /// Many at once, in one transaction or in several, are the same accounts as one after the other.
    #[tokio::test]
    async fn insert_of_many_accounts_leaves_out_those_that_one_by_one_would_be_refused() {
        let names = ["bob1", "eve", "bob1", "bobl", "bo\u{432}l", "\u{435}ve", "zoe", "bob1"];
        let names = names.map(|key| match key {
            "\u{435}ve" => name(key, "eve"),
            "eve" | "zoe" => name(key, key),
            _ => name(key, "bobl"),
        });
        let keys = async |store: &Store| {
            let select = user::Entity::find().select_only().column(user::Column::UsernameKey);
            let mut keys: Vec<String> = select.into_tuple().all(&store.read).await.unwrap();
            keys.sort();
            keys
        };
        let (_folder, single) = open().await;
        for name in &names {
            register(&single, name).await;
        }
        for size in [1, 3, names.len()] {
            let (_folder, store) = open().await;
            let mut made = 0;
            for part in names.chunks(size) {
                made += store.insert_users(part.iter().map(new_user).collect()).await.unwrap();
            }
            assert_eq!(keys(&store).await, keys(&single).await, "{size} at once");
            assert_eq!(made, 4, "{size} at once");
            // Reserved, too: by accounts that were inserted together.
            assert!(!register(&store, &name("zo\u{435}", "zoe")).await);
        }
    }
}
