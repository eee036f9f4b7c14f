//! Avatars: rendered from the upload in two sizes, under an unguessable name.

use super::{FileService, Inner};
use crate::{
    failure::internal,
    objects::Content,
    pictures::Shape,
    store::{Actor, AuditEntry, Event},
};
use app::{
    backend::{Caller, ClientInfo, Failure},
    protocol::User,
};
use axum::body::Bytes;

/// Sizes in pixels, width and height.
const SIDES: [u32; 2] = [512, 96];
/// Random bytes of a name, which has twice as many hexadecimal digits.
const AVATAR_KEY_BYTES: usize = 16;

impl FileService {
    /// Replaces the caller's avatar.
    ///
    /// # Errors
    ///
    /// [`Failure`]: the former avatar stays.
    pub async fn set_avatar(
        &self,
        caller: &Caller,
        bytes: Bytes,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        let made = self.render("avatar", bytes, SIDES.map(Shape::Square)).await?.images;
        let (service, actor) = (self.clone(), Actor::new(caller, self.0.env.now()));
        self.run_to_completion(async move {
            service.0.change_avatar(actor, Some(made), client_info).await
        })
        .await
    }

    /// Deletes the caller's avatar. Succeeds if none is set.
    pub async fn unset_avatar(
        &self,
        caller: &Caller,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        let (service, actor) = (self.clone(), Actor::new(caller, self.0.env.now()));
        self.run_to_completion(
            async move { service.0.change_avatar(actor, None, client_info).await },
        )
        .await
    }

    /// Returns an avatar by the last segment of its URL.
    pub async fn avatar(&self, file: &str) -> Result<Option<Content>, Failure> {
        if !is_avatar(file) {
            return Ok(None);
        }
        self.0.objects.get(&format!("avatars/{file}")).await.map_err(internal)
    }
}

impl Inner {
    async fn change_avatar(
        &self,
        actor: Actor,
        made: Option<[Vec<u8>; 2]>,
        client_info: ClientInfo,
    ) -> Result<User, Failure> {
        let user = actor.user;
        let name = format!("{:032x}", u128::from_be_bytes(self.env.random::<AVATAR_KEY_BYTES>()));
        let keys = SIDES.map(|side| format!("avatars/{name}-{side}.jpg")).to_vec();
        let url = made.is_some().then(|| format!("/{}", keys[0]));
        if let Some(made) = made {
            self.put_all(keys.iter().cloned().zip(made.map(Bytes::from)).collect()).await?;
        }
        let entry = AuditEntry {
            user: Some(user),
            detail: Some("avatar".to_owned()),
            ..AuditEntry::of(Event::ProfileChanged, actor.at, client_info)
        };
        let changed = self.store.set_avatar(actor, url.clone(), entry).await;
        // Invalidate even if the outcome of the write is unknown, so the cache never disagrees with
        // the database.
        self.user_cache.invalidate(user);
        if changed.is_err()
            && self
                .store
                .user(user)
                .await
                .is_ok_and(|now| now.is_none_or(|now| now.user.avatar_url != url))
        {
            self.delete_objects(keys.clone()).await;
        }
        let Some(former) = changed.map_err(Failure::from)? else {
            self.delete_objects(keys).await;
            return Err(Failure::Revoked(None));
        };
        self.delete_objects(former).await;
        let account =
            self.user_cache.get(user).await.map_err(internal)?.ok_or(Failure::Revoked(None))?;
        Ok(account.user.clone())
    }
}

/// Returns the object key of an avatar URL.
pub(super) fn key(url: &str) -> String {
    url.trim_start_matches('/').to_owned()
}

/// Returns whether this is a possible name of an avatar; other names are not looked up.
fn is_avatar(file: &str) -> bool {
    let name = SIDES.iter().find_map(|side| file.strip_suffix(&format!("-{side}.jpg")));
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.is_some_and(|name| name.len() == AVATAR_KEY_BYTES * 2 && name.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_avatar_accepts_generated_names_only() {
        let name = "0123456789abcdef".repeat(2);
        assert!(is_avatar(&format!("{name}-512.jpg")) && is_avatar(&format!("{name}-96.jpg")));
        for other in ["", "-96.jpg", "../../data/keys.json", "..%2fkeys.json-96.jpg"] {
            assert!(!is_avatar(other), "{other}");
        }
        assert!(
            !is_avatar(&format!("{name}-64.jpg"))
                && !is_avatar(&format!("{}-96.jpg", name.to_uppercase()))
        );
    }
}
