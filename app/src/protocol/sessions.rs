//! `/api/me/sessions`: the active sessions of the caller's account.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// An active session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// Identifies the session: the claim `sid` of its tokens.
    pub id: Uuid,
    /// Browser name, if the user agent is a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub browser: Option<String>,
    /// Operating system, if the user agent names a known one.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub system: Option<String>,
    /// Client IP of the last activity.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub address: Option<String>,
    /// Start of the session, in seconds of Unix time.
    pub created_at: i64,
    /// Last refresh, in seconds of Unix time; for the current session, the time of the request.
    pub last_seen_at: i64,
    /// Absolute expiry of the session, in seconds of Unix time.
    pub expires_at: i64,
    /// True if it is the session of the request.
    pub current: bool,
    /// True if it started on a device that was new for the account. False for the first session of
    /// an account.
    pub new_device: bool,
    /// True if the session survives closing the browser.
    pub remember: bool,
}

/// Kind of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A mobile phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A desktop or laptop computer.
    Computer,
    /// The user agent names no known system.
    Unknown,
}

impl SessionInfo {
    /// Returns the kind of the device, by its system. Tablets with Android count as phones: their
    /// user agents do not tell.
    #[must_use]
    pub fn kind(&self) -> DeviceKind {
        match self.system.as_deref() {
            Some("iOS" | "Android" | "HarmonyOS") => DeviceKind::Phone,
            Some("iPadOS") => DeviceKind::Tablet,
            Some(_) => DeviceKind::Computer,
            None => DeviceKind::Unknown,
        }
    }
}

/// The active sessions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// The current session first, then by last activity.
    pub sessions: Vec<SessionInfo>,
}

/// Query of a revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct SessionQuery {
    /// The `id` of the session. The current session is logged out.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", param(value_type = String, required = false, min_length = 1))]
    pub id: SessionSelector,
}

/// Sessions to revoke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionSelector {
    /// All sessions except the current one: the query has no `id`.
    #[default]
    AllOthers,
    /// The session with this id.
    One(String),
}

impl Serialize for SessionSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Omits the parameter from a query.
            Self::AllOthers => serializer.serialize_none(),
            Self::One(id) => serializer.serialize_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for SessionSelector {
    /// Deserializes a string, not an option: queries turn an empty value into `None`, and `?id=`
    /// must not revoke all sessions.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::One)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kind_of_a_device_follows_from_its_system() {
        let session = |system: Option<&str>| SessionInfo {
            id: Uuid::nil(),
            browser: None,
            system: system.map(str::to_owned),
            address: None,
            created_at: 0,
            last_seen_at: 0,
            expires_at: 0,
            current: false,
            new_device: false,
            remember: false,
        };
        for (system, kind) in [
            (Some("iOS"), DeviceKind::Phone),
            (Some("Android"), DeviceKind::Phone),
            (Some("iPadOS"), DeviceKind::Tablet),
            (Some("Windows"), DeviceKind::Computer),
            (Some("ChromeOS"), DeviceKind::Computer),
            (None, DeviceKind::Unknown),
        ] {
            assert_eq!(session(system).kind(), kind, "{system:?}");
        }
    }

    #[test]
    fn selector_is_one_session_unless_the_id_is_absent() {
        let read = |body| serde_json::from_value::<SessionQuery>(body).map(|query| query.id).ok();
        assert_eq!(read(json!({})), Some(SessionSelector::AllOthers));
        assert_eq!(read(json!({ "id": "" })), Some(SessionSelector::One(String::new())));
        assert_eq!(read(json!({ "id": "x" })), Some(SessionSelector::One("x".to_owned())));
        assert_eq!(read(json!({ "id": null })), None);
    }
}
