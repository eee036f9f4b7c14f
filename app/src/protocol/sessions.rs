//! `/api/me/sessions`: the devices that the caller is signed in on.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the functions describe"
)]

use leptos::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use server_fn::codec::{DeleteUrl, GetUrl, Json};
use uuid::Uuid;

use super::{Done, client::ApiClient, error::ApiError};
#[cfg(feature = "ssr")]
use crate::{backend::RequestContext, i18n::messages::Messages};

/// A session, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// The session: the claim `sid` of its tokens.
    pub id: Uuid,
    /// The browser's name, as far as it says one that we know.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub browser: Option<String>,
    /// The system's name, as far as the browser says one that we know.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub system: Option<String>,
    /// The address from where it was seen last.
    #[cfg_attr(feature = "ssr", schema(required = true))]
    pub address: Option<String>,
    /// When it began, in seconds of Unix time.
    pub created_at: i64,
    /// When it was refreshed last, in seconds of Unix time; the one that asks is seen now.
    pub last_seen_at: i64,
    /// When it ends whatever is refreshed, in seconds of Unix time.
    pub expires_at: i64,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether it began on a device that the account had not been logged in to before. The first of
    /// all is none.
    pub new_device: bool,
    /// Whether it outlives the browser's window.
    pub remember: bool,
}

/// The devices that a person is signed in on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// The one that asks first, then by when they were seen.
    pub sessions: Vec<SessionInfo>,
}

/// Which sessions are to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionSelector {
    /// All but the one that asks: no member of the query says which.
    #[default]
    AllOthers,
    /// The one that is named.
    One(String),
}

impl Serialize for SessionSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // In a query that is nothing at all.
            Self::AllOthers => serializer.serialize_none(),
            Self::One(id) => serializer.serialize_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for SessionSelector {
    /// As a text, and not as one that may be missing: a query takes an empty one for that, and
    /// `?id=` must not end them all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::One)
    }
}

/// The devices that the caller is signed in on.
///
/// # Errors
///
/// The `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "me/sessions", input = GetUrl, output = Json, client = ApiClient)]
pub async fn list_sessions() -> Result<SessionList, ApiError> {
    let request = RequestContext::current()?;
    Ok(SessionList { sessions: request.backend.sessions.list_sessions(request.caller()?).await? })
}

/// Ends one of the caller's sessions, or all others.
///
/// # Errors
///
/// `not_found`, the `token_*` codes, `unavailable`.
#[server(prefix = "/api", endpoint = "me/sessions", input = DeleteUrl, output = Json, client = ApiClient)]
pub async fn revoke_sessions(#[server(default)] id: SessionSelector) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let words = Messages::of(request.lang);
    let message = match id {
        SessionSelector::One(_) => words.session_ended,
        SessionSelector::AllOthers => words.sessions_ended,
    };
    request
        .backend
        .sessions
        .revoke_sessions(request.caller()?, id, request.client_info.clone())
        .await?;
    Ok(Done { message: message.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn which_session_is_named_or_none_is() {
        let read = |body| {
            serde_json::from_value::<RevokeSessions>(body).map(|arguments| arguments.id).ok()
        };
        assert_eq!(read(json!({})), Some(SessionSelector::AllOthers));
        assert_eq!(read(json!({ "id": "" })), Some(SessionSelector::One(String::new())));
        assert_eq!(read(json!({ "id": "x" })), Some(SessionSelector::One("x".to_owned())));
        assert_eq!(read(json!({ "id": null })), None);
    }
}
