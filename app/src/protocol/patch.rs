//! A member of something that is changed in part (compare RFC 7396, JSON Merge Patch).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What becomes of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch {
    /// It was not named, and stays as it is.
    #[default]
    Keep,
    /// It becomes this; where nothing is left of it (`null`, an empty text), it is removed.
    Set(String),
}

impl Patch {
    /// Whether it stays as it is: then it is not written.
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
    fn what_is_not_named_stays() {
        let read = |body| serde_json::from_value::<ProfileChanges>(body).unwrap();
        let set = |text: &str| Patch::Set(text.to_owned());
        assert_eq!(read(json!({})), ProfileChanges::default());
        let changes = ProfileChanges { nickname: set("Ada"), email: set(""), mobile: Patch::Keep };
        assert_eq!(read(json!({ "nickname": "Ada", "email": null, "other": 1 })), changes);
        assert_eq!(read(json!({ "nickname": "Ada", "email": "" })), changes);
        assert_eq!(
            serde_json::to_value(&changes).unwrap(),
            json!({ "nickname": "Ada", "email": null })
        );
        assert!(serde_json::from_value::<ProfileChanges>(json!({ "nickname": 5 })).is_err());
    }
}
