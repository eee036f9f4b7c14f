//! Signing keys in the database, for servers that share it: encrypted, and changed by
//! compare-and-swap.

use secrecy::SecretString;

use super::{
    KeyChangeError, KeyError, KeyInfo, KeyRing, KeyRotation, Opened,
    key_file::{KeyFile, RetireError},
    seal::{Sealer, UnsealError},
};
use crate::{
    clock::Env,
    store::{AuditEntry, Event, Store},
    tokens::algorithm::Algorithm,
};

/// Key storage in a database that several servers share, and the secret that encrypts it.
#[derive(Clone)]
pub struct SharedKeys {
    store: Store,
    secret: SecretString,
    /// A configured secret, which signs instead of the stored keys.
    configured: Option<SecretString>,
}

/// The stored keys, decrypted.
struct Loaded {
    revision: i64,
    keys: KeyFile,
}

impl SharedKeys {
    /// The keys in a database, encrypted with `GATEHOUSE_KEYS_SECRET`, or else with the secret that
    /// signs the tokens: it has to be the same on all servers, too.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoSecret`] without either.
    pub fn new(
        store: Store,
        keys_secret: Option<SecretString>,
        jwt_secret: Option<SecretString>,
    ) -> Result<Self, KeyError> {
        let secret = keys_secret.or_else(|| jwt_secret.clone()).ok_or(KeyError::NoSecret)?;
        Ok(Self { store, secret, configured: jwt_secret })
    }

    /// Returns the usable keys, created at the first start. If the signing key is not for the
    /// configured algorithm, a new one is created.
    pub(super) async fn open(
        &self,
        algorithm: Algorithm,
        env: &Env,
    ) -> Result<(KeyRing, Opened), KeyError> {
        let opened = match self.load().await? {
            Some(loaded) if self.configured.is_some() || loaded.keys.algorithm() == algorithm => {
                Opened::Existing
            }
            Some(_) => {
                match self.rotate(algorithm, env).await {
                    Ok(_) => {}
                    Err(KeyChangeError::File(error)) => return Err(error),
                    Err(error) => return Err(KeyError::Rotation(error.to_string())),
                }
                Opened::Rotated
            }
            None => {
                let sealed = self.seal(&KeyFile::generate(algorithm, env), env)?;
                // Of two servers that start at once, the other one may have created them.
                if self.store.insert_sealed_keys(sealed).await? {
                    Opened::Created
                } else {
                    Opened::Existing
                }
            }
        };
        Ok((self.ring().await?, opened))
    }

    /// Returns the usable keys.
    pub(super) async fn ring(&self) -> Result<KeyRing, KeyError> {
        let Some(loaded) = self.load().await? else { return Err(KeyError::Gone) };
        loaded.keys.ring(self.configured.as_ref()).map_err(KeyError::Unusable)
    }

    /// Returns public information on the keys, oldest first; empty before the first start.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the keys cannot be read or decrypted.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, KeyError> {
        Ok(self.load().await?.map(|loaded| loaded.keys.list()).unwrap_or_default())
    }

    /// Creates a new signing key, with an audit entry. Older keys go on verifying, so no session
    /// ends.
    ///
    /// # Errors
    ///
    /// [`KeyChangeError`] if there are no keys, or they cannot be read, decrypted or written.
    pub async fn rotate(
        &self,
        algorithm: Algorithm,
        env: &Env,
    ) -> Result<KeyRotation, KeyChangeError> {
        self.change(env, |keys| {
            let rotated = keys.rotate(algorithm, env);
            let kid = rotated.signing.kid.clone();
            Ok((rotated, Event::KeyRotated, kid))
        })
        .await
    }

    /// Removes a verification-only key, with an audit entry: its tokens are rejected from now on.
    ///
    /// # Errors
    ///
    /// [`KeyChangeError`] if there is no such key, or the keys cannot be read, decrypted or written.
    pub async fn retire(&self, kid: &str, env: &Env) -> Result<KeyInfo, KeyChangeError> {
        self.change(env, |keys| match keys.retire(kid) {
            Ok(retired) => Ok((retired, Event::KeyRetired, kid.to_owned())),
            Err(RetireError::UnknownKey) => Err(KeyChangeError::Unknown { kid: kid.to_owned() }),
            Err(RetireError::SigningKey) => {
                Err(KeyChangeError::StillSigning { kid: kid.to_owned() })
            }
        })
        .await
    }

    /// Changes the keys, again and again if another process changes them at once.
    async fn change<T>(
        &self,
        env: &Env,
        change: impl Fn(&mut KeyFile) -> Result<(T, Event, String), KeyChangeError>,
    ) -> Result<T, KeyChangeError> {
        loop {
            let loaded = self.load().await?;
            let Loaded { revision, mut keys } = loaded.ok_or(KeyChangeError::NotStarted)?;
            let (changed, event, kid) = change(&mut keys)?;
            let entry = AuditEntry::of_key(event, env.now(), &kid);
            let sealed = self.seal(&keys, env)?;
            let replaced = self.store.replace_sealed_keys(revision, sealed, entry).await;
            if replaced.map_err(KeyError::from)? {
                return Ok(changed);
            }
        }
    }

    async fn load(&self) -> Result<Option<Loaded>, KeyError> {
        let Some(stored) = self.store.sealed_keys().await? else { return Ok(None) };
        let plain = self.sealer()?.open(&stored.sealed).map_err(|UnsealError| KeyError::Sealed)?;
        let keys = KeyFile::parse(&plain).map_err(KeyError::Unusable)?;
        Ok(Some(Loaded { revision: stored.revision, keys }))
    }

    fn seal(&self, keys: &KeyFile, env: &Env) -> Result<String, KeyError> {
        let plain = keys.to_bytes().map_err(|error| KeyError::Unusable(error.to_string()))?;
        self.sealer()?.seal(&plain, env).map_err(|UnsealError| KeyError::Cipher)
    }

    fn sealer(&self) -> Result<Sealer, KeyError> {
        Sealer::new(&self.secret).ok_or(KeyError::Cipher)
    }
}

impl std::fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::tokens::keys::KeyStore;

    struct Fixture {
        _folder: tempfile::TempDir,
        store: Store,
        env: Env,
    }

    async fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("gatehouse.sqlite").display());
        Fixture { store: Store::open(&url).await.unwrap(), _folder: folder, env: Env::system() }
    }

    impl Fixture {
        fn keys(&self, keys_secret: Option<&str>, jwt_secret: Option<&str>) -> SharedKeys {
            let secret = |text: Option<&str>| text.map(SecretString::from);
            SharedKeys::new(self.store.clone(), secret(keys_secret), secret(jwt_secret)).unwrap()
        }

        async fn open(&self, keys: SharedKeys) -> Result<(KeyStore, Opened), KeyError> {
            KeyStore::open_shared(keys, Algorithm::Hs256, &self.env).await
        }
    }

    #[tokio::test]
    async fn open_by_two_servers_gives_both_the_same_keys() {
        let fixture = fixture().await;
        let keys = fixture.keys(Some("one"), None);
        let both = tokio::join!(fixture.open(keys.clone()), fixture.open(keys));
        let ((one, _), (other, _)) = (both.0.unwrap(), both.1.unwrap());
        assert!(one.ring().has_keys_of(&other.ring()));
    }

    #[tokio::test]
    async fn open_with_another_secret_fails_and_names_the_setting() {
        let fixture = fixture().await;
        fixture.open(fixture.keys(Some("one"), None)).await.unwrap();
        for other in [
            fixture.keys(Some("another"), None),
            fixture.keys(None, Some("one that signs, which is long enough")),
        ] {
            let error = fixture.open(other).await.err().unwrap();
            assert!(matches!(error, KeyError::Sealed), "{error}");
            assert!(error.to_string().contains("GATEHOUSE_KEYS_SECRET"), "{error}");
        }
        assert!(matches!(
            SharedKeys::new(fixture.store.clone(), None, None),
            Err(KeyError::NoSecret)
        ));
    }

    #[tokio::test]
    async fn open_with_configured_secret_shares_the_names_of_refresh_tokens() {
        let fixture = fixture().await;
        let secret = "one that signs, which is long enough";
        let (one, _) = fixture.open(fixture.keys(None, Some(secret))).await.unwrap();
        let (other, _) = fixture.open(fixture.keys(None, Some(secret))).await.unwrap();
        assert_eq!(
            one.ring().refresh_jti_key.expose_secret(),
            other.ring().refresh_jti_key.expose_secret()
        );
        assert_eq!(one.ring().signing().kid, crate::tokens::keys::CONFIGURED);
        let another = fixture.keys(None, Some("another that signs, which is long enough"));
        assert!(matches!(fixture.open(another).await, Err(KeyError::Sealed)));
    }

    #[tokio::test]
    async fn rotation_and_retirement_reach_a_server_that_reloads() {
        let fixture = fixture().await;
        let keys = fixture.keys(Some("one"), None);
        assert!(matches!(
            keys.rotate(Algorithm::Hs256, &fixture.env).await,
            Err(KeyChangeError::NotStarted)
        ));
        let (server, opened) = fixture.open(keys.clone()).await.unwrap();
        assert_eq!(opened, Opened::Created);
        let first = server.ring().signing().kid.clone();
        assert!(matches!(
            keys.retire(&first, &fixture.env).await,
            Err(KeyChangeError::StillSigning { .. })
        ));
        let rotated = keys.rotate(Algorithm::Hs256, &fixture.env).await.unwrap();
        assert_eq!(rotated.previous.kid, first);
        assert!(server.ring().get(&rotated.signing.kid).is_none());
        server.reload().await.unwrap();
        assert_eq!(server.ring().signing().kid, rotated.signing.kid);
        assert!(server.ring().get(&first).is_some(), "it verifies");
        keys.retire(&first, &fixture.env).await.unwrap();
        server.reload().await.unwrap();
        assert!(server.ring().get(&first).is_none());
        assert_eq!(keys.list().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn concurrent_rotations_keep_every_key() {
        let fixture = fixture().await;
        let keys = fixture.keys(Some("one"), None);
        fixture.open(keys.clone()).await.unwrap();
        let all = (0..8).map(|_| keys.rotate(Algorithm::Hs256, &fixture.env));
        for rotated in futures::future::join_all(all).await {
            rotated.unwrap();
        }
        assert_eq!(keys.list().await.unwrap().len(), 9);
    }

    #[tokio::test]
    async fn open_for_another_algorithm_rotates_with_an_audit_entry() {
        let fixture = fixture().await;
        let keys = fixture.keys(Some("one"), None);
        fixture.open(keys.clone()).await.unwrap();
        let opened = KeyStore::open_shared(keys, Algorithm::EdDsa, &fixture.env).await.unwrap();
        assert_eq!(opened.1, Opened::Rotated);
        assert_eq!(opened.0.ring().signing().algorithm, Algorithm::EdDsa);
        let entries = fixture.store.audit_entries().await.unwrap();
        assert_eq!(
            entries.iter().map(|entry| entry.event.as_str()).collect::<Vec<_>>(),
            ["key_rotated"]
        );
    }
}
