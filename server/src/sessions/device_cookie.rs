//! Cookies of known devices. The cookie identifies a browser that has logged in to the account
//! before; it does not authenticate. Known devices have rate limits of their own, so an attacker
//! who guesses the password cannot lock the user out.
//!
//! A cookie has a random id and a MAC over the id, the account's id and the epoch of the account's
//! cookies. A change of the password, of the account's state, and the end of all (other) sessions
//! begin a new epoch; the browser in which the password is changed gets a new cookie. An account
//! that reuses the name of a deleted one has another id. Nothing is stored. The cookie's name
//! depends on the username alone, so it reveals nothing about the account.

use app::backend::DeviceCookie;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::{clock::Env, store::DeviceEpoch};

/// Bytes of a device id, and of its MAC.
const DEVICE_ID_BYTES: usize = 16;
/// Bytes in the cookie's name: users who share a browser have a cookie each.
const COOKIE_NAME_BYTES: usize = 6;

/// Issues and verifies device cookies.
pub(super) struct DeviceCookies {
    /// Keyed, without input.
    mac: Hmac<Sha256>,
    env: Env,
}

/// Epoch without an account: no cookie is issued for it.
const NO_ACCOUNT: DeviceEpoch = DeviceEpoch { user: Uuid::nil(), epoch: -1 };

/// A known device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownDevice {
    /// Its random id.
    name: String,
    /// The account that it has logged in to.
    pub(super) user: Uuid,
}

impl DeviceCookies {
    pub(super) fn new(mac: Hmac<Sha256>, env: Env) -> Self {
        Self { mac, env }
    }

    /// Returns the request's cookie for this username.
    pub(super) fn cookie_for<'c>(
        &self,
        account: &str,
        cookies: &'c [DeviceCookie],
    ) -> Option<&'c DeviceCookie> {
        let name = self.cookie_name(account);
        cookies.iter().find(|cookie| cookie.name == name)
    }

    /// Returns the device if its cookie is valid for the account and epoch. It takes as long
    /// without an account.
    pub(super) fn recognize(
        &self,
        cookie: &DeviceCookie,
        epoch: Option<DeviceEpoch>,
    ) -> Option<KnownDevice> {
        let (name, tag) = cookie.value.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == DEVICE_ID_BYTES)?;
        let of = epoch.unwrap_or(NO_ACCOUNT);
        // Compares in constant time.
        self.over_device(of, name).verify_truncated_left(&tag).ok()?;
        Some(KnownDevice { name: name.to_owned(), user: of.user })
    }

    /// Returns the cookie to set after a login or a change of the password: that of the known
    /// device, or of a new one.
    pub(super) fn cookie(
        &self,
        account: &str,
        epoch: DeviceEpoch,
        device: Option<KnownDevice>,
    ) -> DeviceCookie {
        let name = device.map_or_else(
            || URL_SAFE_NO_PAD.encode(self.env.random::<DEVICE_ID_BYTES>()),
            |device| device.name,
        );
        let tag = self.over_device(epoch, &name).finalize().into_bytes();
        let value = format!("{name}.{}", URL_SAFE_NO_PAD.encode(&tag[..DEVICE_ID_BYTES]));
        DeviceCookie { name: self.cookie_name(account), value }
    }

    fn cookie_name(&self, account: &str) -> String {
        let tag = self.over(&[b"cookie", account.as_bytes()]).finalize().into_bytes();
        format!(
            "{}{}",
            DeviceCookie::NAME_PREFIX,
            URL_SAFE_NO_PAD.encode(&tag[..COOKIE_NAME_BYTES])
        )
    }

    fn over_device(&self, of: DeviceEpoch, name: &str) -> Hmac<Sha256> {
        self.over(&[b"device", of.user.as_bytes(), &of.epoch.to_be_bytes(), name.as_bytes()])
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // Prefixed with the length: bytes cannot move from one part to the next.
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use hmac::KeyInit as _;

    use super::*;

    const ALICE: DeviceEpoch = DeviceEpoch { user: Uuid::from_u128(1), epoch: 3 };

    fn devices(key: u8) -> DeviceCookies {
        DeviceCookies::new(Hmac::new_from_slice(&[key; 32]).unwrap(), Env::system())
    }

    #[test]
    fn recognize_cookie_of_other_account_or_epoch_fails() {
        let devices = devices(1);
        let cookie = devices.cookie("alice", ALICE, None);
        let device = devices.recognize(&cookie, Some(ALICE)).expect("recognised");
        assert_eq!(device.user, ALICE.user);
        assert_eq!(devices.cookie("alice", ALICE, Some(device)), cookie, "it stays the same");
        let others = [
            Some(DeviceEpoch { user: Uuid::from_u128(2), ..ALICE }),
            Some(DeviceEpoch { epoch: 4, ..ALICE }),
            Some(DeviceEpoch { epoch: 2, ..ALICE }),
            None,
        ];
        for other in others {
            assert_eq!(devices.recognize(&cookie, other), None, "{other:?}");
        }
        assert_eq!(self::devices(2).recognize(&cookie, Some(ALICE)), None, "another key");
    }

    #[test]
    fn cookie_for_username_finds_its_cookie_alone() {
        let devices = devices(1);
        let cookies = [devices.cookie("alice", ALICE, None), devices.cookie("bertha", ALICE, None)];
        assert_eq!(devices.cookie_for("alice", &cookies), Some(&cookies[0]));
        assert_eq!(devices.cookie_for("bertha", &cookies), Some(&cookies[1]));
        assert_eq!(devices.cookie_for("claire", &cookies), None);
        assert_eq!(devices.cookie_for("alice", &[]), None);
    }

    #[test]
    fn recognize_cookie_with_forged_tag_fails() {
        let devices = devices(1);
        let (one, other) =
            (devices.cookie("alice", ALICE, None), devices.cookie("alice", ALICE, None));
        assert_ne!(one.value, other.value);
        let (name, tag) = one.value.split_once('.').unwrap();
        let (other_name, _) = other.value.split_once('.').unwrap();
        for value in [
            format!("{other_name}.{tag}"),
            format!("{name}."),
            format!("{name}.AAAA"),
            name.to_owned(),
            String::new(),
        ] {
            let cookie = DeviceCookie { value, ..one.clone() };
            assert_eq!(devices.recognize(&cookie, Some(ALICE)), None);
        }
    }
}
