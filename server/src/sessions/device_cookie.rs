//! Devices that an account was logged in from. The browser keeps a cookie that the server
//! recognises and that does not authenticate: known devices are limited apart from strangers, who
//! may be guessing the account's password at that moment.
//!
//! A cookie has a random name and a MAC over it, over the account's id and over the epoch of the
//! account's cookies. A change of the password, the end of all (other) sessions and a change of the
//! account's state begin another epoch; an account that takes over a deleted one's name has another
//! id. Nothing else is kept here. Under which name the browser keeps the cookie depends on the
//! typed name alone, so it tells nothing about the account.

use app::backend::DeviceCookie;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::{clock::Env, store::DeviceEpoch};

/// Bytes of a device's name, and of a MAC over it.
const DEVICE_ID_BYTES: usize = 16;
/// Bytes of the cookie's own name: persons who share a browser have a cookie each.
const COOKIE_NAME_BYTES: usize = 6;

/// Recognises devices.
pub(super) struct DeviceCookies {
    /// Has its key, and nothing to sign yet.
    mac: Hmac<Sha256>,
    env: Env,
}

/// A cookie's epoch where there is no account: none is made for it.
const NO_ACCOUNT: DeviceEpoch = DeviceEpoch { user: Uuid::nil(), epoch: -1 };

/// A device that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownDevice {
    /// Its random name.
    name: String,
    /// The account that it is known for.
    pub(super) user: Uuid,
}

impl DeviceCookies {
    pub(super) fn new(mac: Hmac<Sha256>, env: Env) -> Self {
        Self { mac, env }
    }

    /// The cookie that is kept for this account's name.
    pub(super) fn cookie_for<'c>(
        &self,
        account: &str,
        cookies: &'c [DeviceCookie],
    ) -> Option<&'c DeviceCookie> {
        let name = self.cookie_name(account);
        cookies.iter().find(|cookie| cookie.name == name)
    }

    /// The device that a cookie names, where it is one of this account's and epoch's. Without an
    /// account it costs the same.
    pub(super) fn recognize(
        &self,
        cookie: &DeviceCookie,
        epoch: Option<DeviceEpoch>,
    ) -> Option<KnownDevice> {
        let (name, tag) = cookie.value.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == DEVICE_ID_BYTES)?;
        let of = epoch.unwrap_or(NO_ACCOUNT);
        // In constant time.
        self.over_device(of, name).verify_truncated_left(&tag).ok()?;
        Some(KnownDevice { name: name.to_owned(), user: of.user })
    }

    /// The cookie that a browser is to keep after a log-in to this account: that of the device that
    /// was recognised, or a new one.
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
        format!("{}{}", DeviceCookie::DEVICE, URL_SAFE_NO_PAD.encode(&tag[..COOKIE_NAME_BYTES]))
    }

    fn over_device(&self, of: DeviceEpoch, name: &str) -> Hmac<Sha256> {
        self.over(&[b"device", of.user.as_bytes(), &of.epoch.to_be_bytes(), name.as_bytes()])
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // With their lengths: the end of one part and the beginning of the next cannot be moved.
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
    fn cookie_is_recognised_for_its_account_and_epoch_alone() {
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
    fn cookie_is_found_by_the_name_of_its_account() {
        let devices = devices(1);
        let cookies = [devices.cookie("alice", ALICE, None), devices.cookie("bertha", ALICE, None)];
        assert_eq!(devices.cookie_for("alice", &cookies), Some(&cookies[0]));
        assert_eq!(devices.cookie_for("bertha", &cookies), Some(&cookies[1]));
        assert_eq!(devices.cookie_for("claire", &cookies), None);
        assert_eq!(devices.cookie_for("alice", &[]), None);
    }

    #[test]
    fn cookie_of_another_device_or_with_a_made_up_tag_is_not_recognised() {
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
