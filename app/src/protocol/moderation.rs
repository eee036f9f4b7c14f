//! Pictures that administrators remove, and the notices of it to their owners.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest typed reason, in characters.
pub const TEXT_MAX: usize = 500;

/// Reason for which a picture was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RemovalReason {
    /// Nudity or sexual content.
    Nudity,
    /// Violence or threats.
    Violence,
    /// Hate or harassment.
    Hate,
    /// Personal data of another person.
    Privacy,
    /// A work of another person, used without permission.
    Copyright,
    /// Advertising or fraud.
    Spam,
    /// Another reason: the text says which.
    Other,
}

impl RemovalReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Nudity,
        Self::Violence,
        Self::Hate,
        Self::Privacy,
        Self::Copyright,
        Self::Spam,
        Self::Other,
    ];

    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nudity => "nudity",
            Self::Violence => "violence",
            Self::Hate => "hate",
            Self::Privacy => "privacy",
            Self::Copyright => "copyright",
            Self::Spam => "spam",
            Self::Other => "other",
        }
    }

    /// Parses the value on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Body of a removal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PictureRemoval {
    /// The `id` of the account.
    #[cfg_attr(feature = "ssr", schema(value_type = Uuid, required = true))]
    pub id: Option<String>,
    /// The `id` of the file; the avatar if it is absent.
    #[cfg_attr(feature = "ssr", schema(value_type = Uuid, required = false))]
    pub file: Option<String>,
    /// The reason, which the owner is told.
    #[cfg_attr(feature = "ssr", schema(value_type = RemovalReason, required = true))]
    pub reason: Option<String>,
    /// Explanation for the owner: at most 500 characters; required for the reason `other`.
    pub text: Option<String>,
}

/// Notice to the owner of a removed picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RemovalNotice {
    /// Identifies the notice.
    pub id: Uuid,
    /// Name of the file; `null` if it was the avatar.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub file_name: Option<String>,
    /// The reason.
    pub reason: RemovalReason,
    /// Explanation by the administrator.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub text: Option<String>,
    /// Time of the removal, in seconds of Unix time.
    pub created_at: i64,
}

/// The notices to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NoticeList {
    /// Newest first, at most 100.
    pub notices: Vec<RemovalNotice>,
}

/// Query that names a notice.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct NoticeQuery {
    /// The `id` of the notice.
    pub id: Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_every_reason_on_the_wire_returns_it() {
        for reason in RemovalReason::ALL {
            assert_eq!(RemovalReason::parse(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!(RemovalReason::parse(""), None);
    }
}
