//! A person's sessions, as they see them and end them: each is a device that is signed in.

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use uuid::Uuid;

use super::{
    ActError, Actor, AuditEntry, EndReason, Session, Store, StoreError, audit,
    entities::session::{self, Column},
    sessions::{end, living_of, revoked},
    users,
};

/// A session, and from where its person was seen last.
#[derive(Clone, Debug)]
pub struct StoredDevice {
    /// The session.
    pub session: Session,
    /// The address.
    pub address: Option<String>,
    /// What the program calls itself.
    pub user_agent: Option<String>,
    /// Whether it began on a device that the account had not been logged in to before.
    pub is_new: bool,
}

impl TryFrom<session::Model> for StoredDevice {
    type Error = StoreError;

    fn try_from(mut row: session::Model) -> Result<Self, StoreError> {
        let (address, user_agent, is_new) =
            (row.address.take(), row.user_agent.take(), row.new_device);
        Ok(Self { session: row.try_into()?, address, user_agent, is_new })
    }
}

impl Store {
    /// The living sessions of a user.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn devices(&self, user: Uuid, now: i64) -> Result<Vec<StoredDevice>, StoreError> {
        let rows = session::Entity::find().filter(living_of(user, now)).all(&self.read).await?;
        rows.into_iter().map(StoredDevice::try_from).collect()
    }

    /// All sessions of a user that are still known, also those that are over, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn known_devices(&self, user: Uuid) -> Result<Vec<StoredDevice>, StoreError> {
        let rows = session::Entity::find()
            .filter(Column::UserId.eq(user))
            .order_by_desc(Column::CreatedAt);
        rows.all(&self.read).await?.into_iter().map(StoredDevice::try_from).collect()
    }

    /// Ends a living session of the user that the entry is about. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn end_device(
        &self,
        actor: Actor,
        id: Uuid,
        entry: AuditEntry,
    ) -> Result<bool, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                let this = Condition::all().add(Column::Id.eq(id));
                Ok(!end_some(transaction, this, EndReason::EndedElsewhere, &entry)
                    .await?
                    .is_empty())
            })
        })
        .await
    }

    /// Ends the living sessions of the user that the entry is about, except the actor's, and
    /// returns their ids.
    ///
    /// # Errors
    ///
    /// [`ActError`]
    pub async fn end_other_devices(
        &self,
        actor: Actor,
        entry: AuditEntry,
    ) -> Result<Vec<Uuid>, ActError> {
        self.write_as(actor, move |transaction| {
            Box::pin(async move {
                end_others(transaction, Some(actor.session), EndReason::EndedElsewhere, &entry)
                    .await
            })
        })
        .await
    }
}

/// Ends the living sessions of the user that an entry is about, except the one that is kept,
/// invalidates the user's device cookies, and returns the ids of the sessions.
pub(super) async fn end_others(
    connection: &impl ConnectionTrait,
    kept: Option<Uuid>,
    reason: EndReason,
    because: &AuditEntry,
) -> Result<Vec<Uuid>, StoreError> {
    if let Some(user) = because.user {
        users::forget_devices(connection, user).await?;
    }
    let others = Condition::all().add_option(kept.map(|kept| Column::Id.ne(kept)));
    end_some(connection, others, reason, because).await
}

async fn end_some(
    connection: &impl ConnectionTrait,
    which: Condition,
    reason: EndReason,
    because: &AuditEntry,
) -> Result<Vec<Uuid>, StoreError> {
    let Some(user) = because.user else { return Ok(Vec::new()) };
    let which = living_of(user, because.at).add(which);
    let ended = end(which.into(), reason, because.at).exec_with_returning(connection).await?;
    let entries = ended.iter().map(|session| revoked(session.id, reason, because)).collect();
    audit::insert_all(connection, entries).await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::MigratorTrait as _;

    use super::*;
    use crate::store::{NewSession, migrations::Migrator};

    #[tokio::test]
    async fn whoever_has_logged_in_before_there_were_devices_has_been_here_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devices.sqlite");
        let old = sea_orm::Database::connect(format!("sqlite://{}?mode=rwc", path.display()))
            .await
            .unwrap();
        Migrator::up(&old, Some(6)).await.unwrap();
        let (known, stranger) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (id, name) in [(known, "alice"), (stranger, "bertha")] {
            let id = id.simple();
            old.execute_unprepared(&format!(
                "INSERT INTO users (id, username, username_key, password_hash, role, created_at) \
                 VALUES (x'{id}', '{name}', '{name}', 'hash', 'user', 0)"
            ))
            .await
            .unwrap();
            let outcome = if name == "alice" { "success" } else { "wrong_password" };
            old.execute_unprepared(&format!(
                "INSERT INTO audit_events (at, event, outcome, user_id) VALUES (5, 'logged_in', '{outcome}', x'{id}')"
            ))
            .await
            .unwrap();
        }
        old.close().await.unwrap();

        let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
        for (user, is_new) in [(known, true), (stranger, false)] {
            let session = Session {
                id: user,
                user,
                generation: 1,
                parent_generation: None,
                acknowledged: false,
                replaced: Vec::new(),
                remember: true,
                created_at: 10,
                refreshed_at: 10,
                expires_at: 100,
                ended: None,
            };
            let new = NewSession {
                session,
                password_hash: "hash".to_owned(),
                is_known_device: false,
                forgiven: None,
            };
            let entry = AuditEntry::of(
                crate::store::Event::LoggedIn,
                10,
                app::backend::ClientInfo::default(),
            );
            let begun = store.insert_session(new, 100, entry).await.unwrap();
            assert!(matches!(begun, crate::store::Begun::Done { .. }), "{begun:?}");
            let devices = store.devices(user, 20).await.unwrap();
            assert_eq!(devices.iter().map(|device| device.is_new).collect::<Vec<_>>(), [is_new]);
        }
    }
}
