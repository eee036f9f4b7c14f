//! Devices that somebody has logged in from. The browser keeps a cookie that the server recognises and that signs nobody in:
//! whoever brings it is counted apart from strangers, who may be trying the same account's password at that moment.
//!
//! Nothing is kept here: a cookie says a random name and carries a MAC over it and the account's name. It is bound to the name
//! that was typed and not to an account, so that whether there is one changes nothing.

use app::backend::Cookie;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::clock::World;

/// Bytes of a device's name, and of a MAC over it.
const BYTES: usize = 16;
/// Bytes of the cookie's own name: persons who share a browser have a cookie each.
const NAME_BYTES: usize = 6;

/// Recognises devices.
pub(super) struct Devices {
    /// Has its key, and nothing to sign yet.
    mac: Hmac<Sha256>,
    world: World,
}

/// A device that was recognised: its random name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device(String);

impl Device {
    /// The device's name.
    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

impl Devices {
    pub(super) fn new(mac: Hmac<Sha256>, world: World) -> Self {
        Self { mac, world }
    }

    /// The device that one of these cookies names, where it is one of this account's.
    pub(super) fn recognise(&self, account: &str, cookies: &[Cookie]) -> Option<Device> {
        let name = self.cookie_name(account);
        let cookie = cookies.iter().find(|cookie| cookie.name == name)?;
        let (device, tag) = cookie.value.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == BYTES)?;
        // In constant time.
        self.over("device", account, device).verify_truncated_left(&tag).ok()?;
        Some(Device(device.to_owned()))
    }

    /// What a browser is to keep after somebody has logged in to this account: the device that it was, or a new one.
    pub(super) fn cookie(&self, account: &str, device: Option<Device>) -> Cookie {
        let Device(device) = device.unwrap_or_else(|| Device(URL_SAFE_NO_PAD.encode(self.world.random::<BYTES>())));
        let tag = self.over("device", account, &device).finalize().into_bytes();
        let value = format!("{device}.{}", URL_SAFE_NO_PAD.encode(&tag[..BYTES]));
        Cookie { name: self.cookie_name(account), value }
    }

    fn cookie_name(&self, account: &str) -> String {
        let tag = self.over("cookie", account, "").finalize().into_bytes();
        format!("{}{}", Cookie::DEVICE, URL_SAFE_NO_PAD.encode(&tag[..NAME_BYTES]))
    }

    fn over(&self, purpose: &str, account: &str, device: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // With their lengths: where one ends and the next begins cannot be moved.
        for part in [purpose, account, device] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::KeyInit as _;

    fn devices(key: u8) -> Devices {
        Devices::new(Hmac::new_from_slice(&[key; 32]).unwrap(), World::system())
    }

    #[test]
    fn a_device_is_recognised_for_its_account_alone() {
        let devices = devices(1);
        let cookie = devices.cookie("alice", None);
        let device = devices.recognise("alice", std::slice::from_ref(&cookie)).expect("recognised");
        assert_eq!(devices.cookie("alice", Some(device)), cookie, "it stays the same");
        let renamed = Cookie { name: devices.cookie("bob", None).name, ..cookie.clone() };
        assert_ne!(renamed.name, cookie.name, "who shares a browser has a cookie each");
        assert_eq!(devices.recognise("bob", &[cookie.clone(), renamed]), None);
        assert_eq!(self::devices(2).recognise("alice", &[cookie]), None);
    }

    #[test]
    fn no_two_devices_are_alike_and_none_can_be_made_up() {
        let devices = devices(1);
        let (one, other) = (devices.cookie("alice", None), devices.cookie("alice", None));
        assert_ne!(one.value, other.value);
        let (name, tag) = one.value.split_once('.').unwrap();
        let (other_name, _) = other.value.split_once('.').unwrap();
        for value in
            [format!("{other_name}.{tag}"), format!("{name}."), format!("{name}.AAAA"), name.to_owned(), String::new()]
        {
            let cookie = Cookie { value, ..one.clone() };
            assert_eq!(devices.recognise("alice", &[cookie]), None);
        }
    }
}
