//! A user's own sessions: listing and revoking them.

use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::{
        error::Code,
        sessions::{SessionInfo, SessionSelector},
    },
};
use uuid::Uuid;

use super::service::Inner;
use crate::{
    domain::user_agent,
    failure::internal,
    metrics::{Revocation, metrics},
    store::{Actor, EndedAccess, Event, StoredSession},
};

impl Inner {
    /// Lists active sessions: the caller's first, then by last use.
    pub(super) async fn list_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Failure> {
        self.sessions_of(caller.user, caller.session).await
    }

    /// Lists the active sessions of a user: the current one first, if it is among them, then by last
    /// use.
    pub(super) async fn sessions_of(
        &self,
        user: Uuid,
        current: Uuid,
    ) -> Result<Vec<SessionInfo>, Failure> {
        let now = self.env.now();
        let stored = self.store.devices(user, now).await.map_err(internal)?;
        let mut devices: Vec<_> = stored
            .into_iter()
            // A session with an expired refresh token needs a new login.
            .filter(|stored| {
                stored.session.id == current
                    || now < stored.session.refresh_grant(&self.lifetimes).expires_at
            })
            .map(|stored| shown(stored, current, now))
            .collect();
        devices.sort_by_key(|device| {
            (!device.current, -device.last_seen_at, -device.created_at, device.id)
        });
        Ok(devices)
    }

    /// Revokes one of the caller's sessions, or all others.
    pub(super) async fn revoke_sessions(
        &self,
        caller: &Caller,
        ending: SessionSelector,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        match ending {
            // Invalid ids and other users' sessions are not found.
            SessionSelector::One(id) => match Uuid::try_parse(&id) {
                Ok(id) if id == caller.session => self.logout(caller, client_info).await,
                Ok(id) => self.end_one(caller, id, client_info).await,
                Err(_) => Err(Code::NotFound.into()),
            },
            SessionSelector::AllOthers => self.end_others(caller, client_info).await,
        }
    }

    async fn end_one(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let entry = self.entry(Event::SessionRevoked, Some(caller.user), None, client_info);
        let done = self.store.end_device(Actor::new(caller, entry.at), id, entry).await;
        // Invalidate even if the write's outcome is unknown, so the cache never disagrees with the
        // database.
        self.session_cache.invalidate(&id);
        if !done.map_err(Failure::from)? {
            return Err(Code::NotFound.into());
        }
        metrics().revocations.of(Revocation::OtherSession).inc();
        tracing::info!(user = %caller.user, session = %id, "session revoked from another session");
        Ok(())
    }

    async fn end_others(&self, caller: &Caller, client_info: ClientInfo) -> Result<(), Failure> {
        let entry = self.entry(Event::SessionRevoked, Some(caller.user), None, client_info);
        let done = self.store.end_other_sessions(Actor::new(caller, entry.at), entry).await;
        self.invalidate_ended(done.as_ref());
        let ended = done.map_err(Failure::from)?.len();
        metrics().revocations.of(Revocation::OtherSession).inc_by(ended as u64);
        tracing::info!(user = %caller.user, ended, "all other sessions revoked");
        Ok(())
    }

    /// Invalidates sessions that have ended together.
    pub(super) fn invalidate_ended<'a, E>(
        &self,
        ended: Result<impl IntoIterator<Item = &'a Uuid>, E>,
    ) {
        match ended {
            Ok(ended) => {
                ended.into_iter().for_each(|session| self.session_cache.invalidate(session));
            }
            // The write's outcome, and which sessions it affects, are unknown.
            Err(_) => self.session_cache.invalidate_all(),
        }
    }

    /// Invalidates and counts what a change has ended with a password or an address.
    pub(super) fn invalidate_access<E>(&self, done: Result<Option<&EndedAccess>, &E>) {
        self.invalidate_ended(
            done.map(|access| access.into_iter().flat_map(|access| &access.ended)),
        );
        let Ok(Some(EndedAccess { user, former, ended })) = done else { return };
        self.user_cache.invalidate(*user);
        if let Some(former) = former {
            self.user_cache.invalidate(*former);
            tracing::warn!(
                %user, %former, "a username is the verified address of another account now"
            );
        }
        metrics().revocations.of(Revocation::PasswordChanged).inc_by(ended.len() as u64);
    }
}

fn shown(stored: StoredSession, current: Uuid, now: i64) -> SessionInfo {
    let StoredSession { session, address, user_agent, is_new } = stored;
    let user_agent = user_agent.unwrap_or_default();
    let current = session.id == current;
    SessionInfo {
        id: session.id,
        browser: user_agent::browser(&user_agent).map(str::to_owned),
        system: user_agent::system(&user_agent).map(str::to_owned),
        address,
        created_at: session.created_at,
        last_seen_at: if current { now } else { session.refreshed_at },
        expires_at: session.expires_at,
        current,
        new_device: is_new,
        remember: session.remember,
    }
}
