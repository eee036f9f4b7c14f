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
        let stored = |column| Expr::col((username_skeleton::Entity, column));
        conflict
            .value(Column::Usernames, stored(Column::Usernames).add(1))
            .action_and_where(stored(Column::Ascii).eq(true));
    } else {
        conflict.do_nothing();
    }
    let row = username_skeleton::ActiveModel {
        skeleton: Set(name.skeleton.clone()),
        ascii: Set(name.is_ascii),
        usernames: Set(1),
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
    let (mut taken, mut found_skeletons) = (HashSet::new(), HashMap::new());
    for part in all.chunks(ROWS_PER_STATEMENT) {
        let skeletons = part.iter().map(|new| new.name.skeleton.as_str());
        let found = username_skeleton::Entity::find()
            .filter(Column::Skeleton.is_in(skeletons))
            .all(connection)
            .await?;
        found_skeletons.extend(found.into_iter().map(|row| (row.skeleton, row.ascii)));
        // The skeleton of a taken username is taken, too, so few usernames are looked up.
        let is_alike = |new: &&NewUser| found_skeletons.contains_key(&new.name.skeleton);
        let alike: Vec<_> = part.iter().filter(is_alike).map(|new| new.name.key.as_str()).collect();
        if !alike.is_empty() {
            let found: Vec<String> = user::Entity::find()
                .select_only()
                .column(user::Column::UsernameKey)
                .filter(user::Column::UsernameKey.is_in(alike))
                .into_tuple()
                .all(connection)
                .await?;
            taken.extend(found);
        }
        let keys = part.iter().map(|new| new.name.key.as_str());
        taken.extend(addresses::verified_among(connection, keys).await?);
    }
    // Skeletons of the new usernames: whether they are ASCII, and their number.
    let mut reserved: BTreeMap<String, (bool, i64)> = BTreeMap::new();
    let free = all.into_iter().filter(|NewUser { name, .. }| {
        let found = found_skeletons.get(&name.skeleton).copied();
        let is_ascii = found.or_else(|| reserved.get(&name.skeleton).map(|(ascii, _)| *ascii));
        let is_alike = is_ascii.is_some_and(|is_ascii| !(is_ascii && name.is_ascii));
        if is_alike || !taken.insert(name.key.clone()) {
            return false;
        }
        reserved.entry(name.skeleton.clone()).or_insert((name.is_ascii, 0)).1 += 1;
        true
    });
    let free = free.collect();
    let (shared, new): (Vec<_>, Vec<_>) =
        reserved.into_iter().partition(|(skeleton, _)| found_skeletons.contains_key(skeleton));
    for (skeleton, (_, usernames)) in shared {
        count(connection, &skeleton, usernames).await?;
    }
    let row = |(skeleton, (is_ascii, usernames))| username_skeleton::ActiveModel {
        skeleton: Set(skeleton),
        ascii: Set(is_ascii),
        usernames: Set(usernames),
    };
    bulk_insert::insert(connection, new.into_iter().map(row)).await?;
    Ok(free)
}

/// Adds to the number of usernames that share a skeleton.
async fn count(
    connection: &impl ConnectionTrait,
    skeleton: &str,
    added: i64,
) -> Result<(), StoreError> {
    username_skeleton::Entity::update_many()
        .col_expr(Column::Usernames, Expr::col(Column::Usernames).add(added))
        .filter(Column::Skeleton.eq(skeleton))
        .exec(connection)
        .await?;
    Ok(())
}

/// Releases the skeleton of a username that an account no longer has; it stays reserved while other
/// usernames share it.
pub(super) async fn release(
    connection: &impl ConnectionTrait,
    skeleton: &str,
) -> Result<(), StoreError> {
    let last = Column::Skeleton.eq(skeleton).and(Column::Usernames.lte(1));
    let deleted = username_skeleton::Entity::delete_many().filter(last).exec(connection).await?;
    if deleted.rows_affected == 0 {
        count(connection, skeleton, -1).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use app::backend::ClientInfo;

    use super::*;
    use crate::store::{AuditEntry, Event, test_store::TestStore};

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

    /// Deletes an account as [`Store::delete_user`] does, without its other rows.
    async fn delete(store: &Store, name: &Name) {
        let name = name.clone();
        let change = store.writer.write(move |transaction| {
            Box::pin(async move {
                let account = user::Entity::delete_many()
                    .filter(user::Column::UsernameKey.eq(name.key.as_str()));
                assert_eq!(account.exec(transaction).await?.rows_affected, 1);
                release(transaction, &name.skeleton).await
            })
        });
        change.await.unwrap();
    }

    /// Number of usernames of each skeleton: as counted in its row, and as stored.
    async fn counts(store: &Store) -> [BTreeMap<String, i64>; 2] {
        let rows = username_skeleton::Entity::find().all(&store.read).await.unwrap();
        let mut stored = BTreeMap::new();
        for account in user::Entity::find().all(&store.read).await.unwrap() {
            *stored.entry(account.username_skeleton).or_insert(0) += 1;
        }
        [rows.into_iter().map(|row| (row.skeleton, row.usernames)).collect(), stored]
    }

    #[tokio::test]
    async fn skeleton_stays_reserved_until_its_last_username_is_deleted() {
        let TestStore { store, .. } = &TestStore::open().await;
        let (one, other) = (name("bob1", "bobl"), name("bobl", "bobl"));
        let confusable = name("bo\u{432}l", "bobl");
        // Refused registrations reserve nothing.
        assert!(register(store, &one).await && register(store, &other).await);
        assert!(!register(store, &one).await && !register(store, &confusable).await);
        let many = [&one, &name("b0b1", "bobl"), &confusable, &name("b0bl", "bobl"), &other];
        assert_eq!(store.insert_users(many.map(new_user).to_vec()).await.unwrap(), 2);
        for (deleted, left) in [("b0bl", 3), ("bob1", 2), ("b0b1", 1)] {
            delete(store, &name(deleted, "bobl")).await;
            let [counted, stored] = counts(store).await;
            assert_eq!(counted, stored);
            assert_eq!(counted, BTreeMap::from([("bobl".to_owned(), left)]));
            assert!(!register(store, &confusable).await);
        }
        delete(store, &other).await;
        assert_eq!(counts(store).await, [BTreeMap::new(), BTreeMap::new()]);
        // Not ASCII, so it has the skeleton alone.
        assert!(register(store, &confusable).await && !register(store, &one).await);
        delete(store, &confusable).await;
        assert!(register(store, &one).await);
        let [counted, stored] = counts(store).await;
        assert_eq!(counted, stored);
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
                let [counted, stored] = counts(&store).await;
                assert_eq!(counted, stored, "{one:?} {other:?}");
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
            let [counted, stored] = counts(&store).await;
            assert_eq!(counted, stored, "{size} at once");
            // Reserved, too: by accounts that were inserted together.
            assert!(!register(&store, &name("zo\u{435}", "zoe")).await);
        }
    }
}
