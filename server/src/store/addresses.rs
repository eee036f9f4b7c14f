//! Addresses of accounts.
//!
//! A verified address belongs to one account, which is found by it like by its username. An
//! unverified one is a claim: any number of accounts may have it, and it opens none of them. A
//! username that is an address counts as a claim until it is verified.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _,
    ExprTrait as _, FromQueryResult as _, JoinType, QueryFilter as _, QuerySelect as _,
    QueryTrait as _, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, Change, Event, Store, StoreError, audit, changes,
    entities::{
        address::{self, Column},
        user,
    },
    names, one_time_codes, user_sessions, user_words,
};
use crate::domain::{
    email_address::EmailAddress, one_time_code::Purpose, session::EndReason, username::Name,
};

/// The kind of e-mail addresses; phone numbers may follow.
const EMAIL: &str = "email";

/// Addresses of an account, besides the contact address of its row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountAddresses {
    /// Verified address, as it was typed.
    pub verified: Option<EmailAddress>,
    /// Address that waits for its verification.
    pub pending: Option<EmailAddress>,
}

impl AccountAddresses {
    /// Adds an address as it is stored: its text, and the time of its verification.
    fn add(&mut self, (value, verified_at): (String, Option<i64>)) -> Result<(), StoreError> {
        let address = parse_stored(&value)?;
        match verified_at {
            Some(_) => self.verified = Some(address),
            None => self.pending = Some(address),
        }
        Ok(())
    }

    /// Drops the addresses that are not the contact address in another spelling.
    pub fn keep_only(&mut self, contact: Option<&str>) {
        let contact = contact.and_then(|contact| EmailAddress::parse(contact).ok());
        let is_contact = |address: &EmailAddress| {
            contact.as_ref().is_some_and(|contact| contact.key() == address.key())
        };
        self.verified.take_if(|address| !is_contact(address));
        self.pending = None;
    }
}

/// A verification of an address.
#[derive(Clone, Debug)]
pub struct AddressVerification {
    /// The account that gets the address.
    pub user: Uuid,
    /// The address.
    pub address: EmailAddress,
    /// Values for the rows.
    pub context: VerificationContext,
}

/// Values for the rows that a verification writes.
#[derive(Clone, Debug)]
pub struct VerificationContext {
    /// Id of the address, a UUIDv7.
    pub id: Uuid,
    /// Name and password hash for another account whose username is the address: it never verified
    /// it.
    pub renaming: Renaming,
}

/// Username and password hash of an account whose former username belongs to another person.
#[derive(Clone, Debug)]
pub struct Renaming {
    /// Username, a random handle.
    pub username: String,
    /// Its uniqueness keys.
    pub name: Name,
    /// A hash that no password has.
    pub password_hash: String,
}

/// Outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// The account has the address now, as its contact address too.
    Verified(VerifiedAddress),
    /// Another account has verified it before. Nothing was changed.
    Taken,
    /// The account is gone. Nothing was changed.
    NoAccount,
}

/// Consequences of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAddress {
    /// Verified address that it replaced.
    pub previous: Option<EmailAddress>,
    /// Access of an account that had it as its username.
    pub access: EndedAccess,
}

impl VerificationOutcome {
    /// Returns the access that has ended.
    #[must_use]
    pub const fn access(&self) -> Option<&EndedAccess> {
        match self {
            Self::Verified(verified) => Some(&verified.access),
            Self::Taken | Self::NoAccount => None,
        }
    }
}

/// Access to accounts that a change has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedAccess {
    /// The account that was changed.
    pub user: Uuid,
    /// Another account that had the address as its username, and has been renamed.
    pub former: Option<Uuid>,
    /// Sessions of both, which have ended.
    pub ended: Vec<Uuid>,
}

impl Store {
    /// Returns the username key of the account that has verified an address.
    pub async fn username_key_of_address(&self, key: &str) -> Result<Option<String>, StoreError> {
        let owner = address::Entity::find()
            .select_only()
            .column(Column::UserId)
            .filter(verified(key))
            .into_query();
        Ok(user::Entity::find()
            .select_only()
            .column(user::Column::UsernameKey)
            .filter(user::Column::Id.in_subquery(owner))
            .into_tuple()
            .one(&self.read)
            .await?)
    }

    /// Returns the id of the account that has verified an address.
    pub async fn owner_of_address(&self, key: &str) -> Result<Option<Uuid>, StoreError> {
        owner(&self.read, key).await
    }

    /// Returns the addresses of an account.
    pub async fn addresses(&self, user: Uuid) -> Result<AccountAddresses, StoreError> {
        of_user(&self.read, user).await
    }

    /// Verifies an address, after its owner was convinced of otherwise than by a one-time code.
    pub async fn verify_address(
        &self,
        verification: AddressVerification,
        entry: AuditEntry,
    ) -> Result<VerificationOutcome, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { verify(transaction, verification, entry).await })
            })
            .await
    }

    /// Verifies an address on behalf of an administrator's session.
    pub async fn verify_address_as(
        &self,
        actor: Actor,
        verification: AddressVerification,
        entry: AuditEntry,
    ) -> Result<VerificationOutcome, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move { verify(transaction, verification, entry).await })
        })
        .await
    }
}

/// Parses an address of a row.
pub(super) fn parse_stored(address: &str) -> Result<EmailAddress, StoreError> {
    EmailAddress::parse(address)
        .map_err(|problem| StoreError::Unreadable(format!("the address {address:?} ({problem:?})")))
}

/// Condition of the verified address with a key.
fn verified(key: &str) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(EMAIL))
        .add(Column::Key.eq(key))
        .add(Column::VerifiedAt.is_not_null())
}

/// Returns the account that has verified an address.
pub(super) async fn owner(
    connection: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<Uuid>, StoreError> {
    Ok(address::Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(verified(key))
        .into_tuple()
        .one(connection)
        .await?)
}

/// Returns those of the keys whose addresses are verified.
pub(super) async fn verified_among(
    connection: &impl ConnectionTrait,
    keys: impl Iterator<Item = &str>,
) -> Result<Vec<String>, StoreError> {
    Ok(address::Entity::find()
        .select_only()
        .column(Column::Key)
        .filter(Column::Kind.eq(EMAIL))
        .filter(Column::VerifiedAt.is_not_null())
        .filter(Column::Key.is_in(keys))
        .into_tuple()
        .all(connection)
        .await?)
}

/// Returns the addresses of an account.
pub(super) async fn of_user(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<AccountAddresses, StoreError> {
    let rows = address::Entity::find()
        .select_only()
        .columns([Column::Value, Column::VerifiedAt])
        .filter(Column::UserId.eq(user))
        .into_tuple()
        .all(connection)
        .await?;
    let mut addresses = AccountAddresses::default();
    for row in rows {
        addresses.add(row)?;
    }
    Ok(addresses)
}

/// Returns the account of a condition that one account may fulfil, with its addresses.
pub(super) async fn find_user(
    connection: &impl ConnectionTrait,
    condition: Expr,
) -> Result<Option<(user::Model, AccountAddresses)>, StoreError> {
    let of_user =
        address::Entity::belongs_to(user::Entity).from(Column::UserId).to(user::Column::Id);
    // Not by `select_also`, which takes a row of an address that cannot be decoded for none.
    let statement = user::Entity::find()
        .join_rev(JoinType::LeftJoin, of_user.into())
        .column_as(Column::Value, "address_value")
        .column_as(Column::VerifiedAt, "address_verified_at")
        .filter(condition)
        .into_query();
    let mut found = None;
    for row in connection.query_all(&statement).await? {
        let account = user::Model::from_query_result(&row, "")?;
        let (_, addresses) = found.get_or_insert((account, AccountAddresses::default()));
        if let Some(value) = row.try_get("", "address_value")? {
            addresses.add((value, row.try_get("", "address_verified_at")?))?;
        }
    }
    Ok(found)
}

/// Sets the address of an account that waits for its verification, with the id of its row, in place
/// of another one.
pub(super) async fn set_pending(
    connection: &impl ConnectionTrait,
    user: Uuid,
    address: Option<(Uuid, &EmailAddress)>,
    now: i64,
) -> Result<(), StoreError> {
    let pending = Column::UserId.eq(user).and(Column::VerifiedAt.is_null());
    address::Entity::delete_many().filter(pending).exec(connection).await?;
    match address {
        Some((id, address)) => insert(connection, id, user, address, None, now).await,
        None => Ok(()),
    }
}

/// Deletes the addresses of an account.
pub(super) async fn delete_all(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<(), StoreError> {
    address::Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}

/// Verifies an address of an account, makes it its contact address, and takes it from an account
/// that has it as a username without having verified it: that one is renamed, its sessions end, and
/// its password does not log in any more. Other accounts with the address as a claim learn nothing.
/// Codes that were sent to the former addresses of the account must not open it, nor change this one.
pub(super) async fn verify(
    connection: &impl ConnectionTrait,
    verification: AddressVerification,
    entry: AuditEntry,
) -> Result<VerificationOutcome, StoreError> {
    let AddressVerification { user, address, context: VerificationContext { id, renaming } } =
        verification;
    let Some(account) = user::Entity::find_by_id(user).one(connection).await? else {
        return Ok(VerificationOutcome::NoAccount);
    };
    if owner(connection, address.key()).await?.is_some_and(|owner| owner != user) {
        return Ok(VerificationOutcome::Taken);
    }
    let before = of_user(connection, user).await?;
    let previous = before.verified.filter(|previous| previous.key() != address.key());
    let (former, ended) = match evict(connection, user, &address, renaming, &entry).await? {
        Some((former, ended)) => (Some(former), ended),
        None => (None, Vec::new()),
    };
    delete_all(connection, user).await?;
    insert(connection, id, user, &address, Some(entry.at), entry.at).await?;
    set_contact(connection, account, Some(address.shown())).await?;
    let purposes = [Purpose::Verify, Purpose::Change, Purpose::Reset];
    one_time_codes::revoke(connection, user, &purposes).await?;
    audit::insert(connection, AuditEntry { user: Some(user), ..entry }).await?;
    let access = EndedAccess { user, former, ended };
    Ok(VerificationOutcome::Verified(VerifiedAddress { previous, access }))
}

/// Sets the contact address of an account.
async fn set_contact(
    connection: &impl ConnectionTrait,
    account: user::Model,
    email: Option<&str>,
) -> Result<(), StoreError> {
    let id = account.id;
    if account.email.as_deref() != email {
        let email = email.map(str::to_owned);
        user::Entity::update_many()
            .col_expr(user::Column::Email, Expr::value(email.clone()))
            .filter(user::Column::Id.eq(id))
            .exec(connection)
            .await?;
        user_words::replace(connection, &user::Model { email, ..account }).await?;
    }
    changes::record(connection, [Change::Account(id)]).await
}

/// Takes a username that is an address from an account that has not verified it, and returns the
/// account and its ended sessions.
async fn evict(
    connection: &impl ConnectionTrait,
    by: Uuid,
    address: &EmailAddress,
    renaming: Renaming,
    because: &AuditEntry,
) -> Result<Option<(Uuid, Vec<Uuid>)>, StoreError> {
    let claimant = user::Entity::find()
        .filter(user::Column::UsernameKey.eq(address.key()).and(user::Column::Id.ne(by)))
        .one(connection)
        .await?;
    let Some(former) = claimant else { return Ok(None) };
    let (id, former_skeleton) = (former.id, former.username_skeleton.clone());
    let Renaming { username, name, password_hash } = renaming;
    // If the random name is taken, rows have been changed already: a conflict would keep them.
    let rolled_back = |error| match error {
        StoreError::Conflict => {
            StoreError::Unavailable(DbErr::Custom("a random name is taken".into()))
        }
        error => error,
    };
    names::reserve(connection, &name).await.map_err(rolled_back)?;
    let renamed = user::Model {
        username,
        username_key: name.key,
        username_skeleton: name.skeleton,
        password_hash,
        ..former
    };
    user::Entity::update_many()
        .col_expr(user::Column::Username, Expr::value(renamed.username.as_str()))
        .col_expr(user::Column::UsernameKey, Expr::value(renamed.username_key.as_str()))
        .col_expr(user::Column::UsernameSkeleton, Expr::value(renamed.username_skeleton.as_str()))
        .col_expr(user::Column::PasswordHash, Expr::value(renamed.password_hash.as_str()))
        .col_expr(user::Column::PasswordChangedAt, Expr::value(because.at))
        .filter(user::Column::Id.eq(id))
        .exec(connection)
        .await
        .map_err(StoreError::Unavailable)?;
    names::release(connection, &former_skeleton).await?;
    user_words::replace(connection, &renamed).await?;
    changes::record(connection, [Change::Account(id)]).await?;
    // Without the client: the account must not learn where the owner of the address is.
    let entry = AuditEntry {
        user: Some(id),
        detail: Some(format!("by {by}")),
        ..AuditEntry::of(Event::AddressLost, because.at, app::backend::ClientInfo::default())
    };
    let ended =
        user_sessions::end_others(connection, None, EndReason::PasswordChanged, &entry).await?;
    audit::insert(connection, entry).await?;
    Ok(Some((id, ended)))
}

async fn insert(
    connection: &impl ConnectionTrait,
    id: Uuid,
    user: Uuid,
    address: &EmailAddress,
    verified_at: Option<i64>,
    now: i64,
) -> Result<(), StoreError> {
    let row = address::ActiveModel {
        id: Set(id),
        user_id: Set(user),
        kind: Set(EMAIL.to_owned()),
        key: Set(address.key().to_owned()),
        value: Set(address.shown().to_owned()),
        verified_at: Set(verified_at),
        created_at: Set(now),
    };
    address::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use app::{i18n::Lang, protocol::Role};

    use super::*;
    use crate::store::{
        NewUser,
        test_store::{NOW, TestStore},
        users,
    };

    const USER: Uuid = Uuid::from_u128(1);

    async fn find(store: &Store) -> Result<Option<AccountAddresses>, StoreError> {
        let found = find_user(&store.read, user::Column::Id.eq(USER)).await?;
        Ok(found.map(|(account, addresses)| {
            assert_eq!(account.id, USER);
            addresses
        }))
    }

    #[tokio::test]
    async fn find_user_returns_the_account_with_its_addresses_or_fails() {
        let TestStore { store, env, .. } = &TestStore::open().await;
        assert_eq!(find(store).await.unwrap(), None);
        let addresses =
            ["new@example.com", "old@example.com"].map(|text| EmailAddress::parse(text).unwrap());
        let [pending, verified] = addresses.clone();
        let ids = [env.uuid(), env.uuid()];
        let name = Name { key: "ada".to_owned(), skeleton: "ada".to_owned(), is_ascii: true };
        let new = NewUser {
            id: USER,
            username: "ada".to_owned(),
            name,
            password_hash: "hash".to_owned(),
            nickname: None,
            email: None,
            role: Role::User,
            created_at: NOW,
        };
        let change = store.writer.write(move |transaction| {
            Box::pin(async move { users::insert(transaction, new, Lang::default()).await })
        });
        change.await.unwrap();
        assert_eq!(find(store).await.unwrap(), Some(AccountAddresses::default()));
        let change = store.writer.write(move |transaction| {
            Box::pin(async move {
                let [pending, verified] = addresses;
                insert(transaction, ids[0], USER, &pending, None, NOW).await?;
                insert(transaction, ids[1], USER, &verified, Some(NOW), NOW).await
            })
        });
        change.await.unwrap();
        let both = AccountAddresses { pending: Some(pending), verified: Some(verified) };
        assert_eq!(find(store).await.unwrap(), Some(both.clone()));
        assert_eq!(of_user(&store.read, USER).await.unwrap(), both);

        store.write().execute_unprepared("UPDATE addresses SET value = 'none'").await.unwrap();
        assert!(matches!(find(store).await, Err(StoreError::Unreadable(_))));
        assert!(matches!(of_user(&store.read, USER).await, Err(StoreError::Unreadable(_))));
    }
}
