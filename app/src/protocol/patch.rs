//! Optional members of a partial update (compare RFC 7396, JSON Merge Patch).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Change of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch {
    /// Absent: the value stays.
    #[default]
    Keep,
    /// Present: replaces the value; `null` and an empty string remove it.
    Set(String),
}

impl Patch {
    /// Returns whether the value stays: the member is not serialized then.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl Serialize for Patch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(text) if !text.is_empty() => serializer.serialize_str(text),
            Self::Set(_) | Self::Keep => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Patch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|text| Self::Set(text.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::ProfileChanges, *};

    #[test]
    fn absent_members_keep_their_value() {
        let read = |body| serde_json::from_value::<ProfileChanges>(body).unwrap();
        let set = |text: &str| Patch::Set(text.to_owned());
        assert_eq!(read(json!({})), ProfileChanges::default());
        let changes = ProfileChanges {
            nickname: set("Ada"),
            email: set(""),
            mobile: Patch::Keep,
            alert_new_device: None,
        };
        assert_eq!(read(json!({ "nickname": "Ada", "email": null, "other": 1 })), changes);
        assert_eq!(read(json!({ "nickname": "Ada", "email": "" })), changes);
        assert_eq!(
            serde_json::to_value(&changes).unwrap(),
            json!({ "nickname": "Ada", "email": null })
        );
        assert!(serde_json::from_value::<ProfileChanges>(json!({ "nickname": 5 })).is_err());
    }
}
