//! Messages between the tabs of a browser.
//!
//! A message carries the new state itself: it may arrive before another process sees what was
//! written to storage.

use super::{ports::PersistedSession, state::SessionEnd};
use crate::protocol::{User, json::from_slice};

/// A message to the other tabs.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// A user has logged in, with a session that all tabs share.
    SessionStarted(PersistedSession),
    /// A session has newer tokens.
    TokensRefreshed(PersistedSession),
    /// The current user's name or avatar has changed.
    UserUpdated(User),
    /// A session has ended.
    SessionEnded {
        /// Id of the session (`sid`).
        session_id: String,
        /// Reason of the end.
        end: SessionEnd,
    },
    /// Requests the tokens of a session from tabs that hold them: sent by a duplicated tab, or by
    /// one that was suspended.
    TokensRequested {
        /// Id of the session (`sid`).
        session_id: String,
    },
}

/// Four lines of text: neither tokens nor JSON contain line breaks. Deriving serde for the enum
/// would add more code to the first load than this format.
impl Message {
    /// Encodes the message as text.
    #[must_use]
    pub fn encode(&self) -> String {
        let lines = |kind, first: &str, second: &str, third: &str| {
            format!("{kind}\n{first}\n{second}\n{third}")
        };
        let session = |kind, session: &PersistedSession| {
            lines(kind, &session.access_token, &session.refresh_token, &json(&session.user))
        };
        match self {
            Self::SessionStarted(started) => session("started", started),
            Self::TokensRefreshed(refreshed) => session("refreshed", refreshed),
            Self::UserUpdated(user) => lines("user", &json(user), "", ""),
            Self::SessionEnded { session_id, end } => {
                lines("ended", session_id, &json(&end.reason()), "")
            }
            Self::TokensRequested { session_id } => lines("request", session_id, "", ""),
        }
    }

    /// Decodes a message; `None` if it has another format, as from a tab with another version.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (kind, first, second, third) =
            (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let session = || {
            let user = from_slice(third.as_bytes()).ok()?;
            let (access_token, refresh_token) = (first.to_owned(), second.to_owned());
            Some(PersistedSession { access_token, refresh_token, user })
                .filter(PersistedSession::is_consistent)
        };
        match kind {
            "started" => session().map(Self::SessionStarted),
            "refreshed" => session().map(Self::TokensRefreshed),
            "user" => from_slice(first.as_bytes()).ok().map(Self::UserUpdated),
            "ended" => {
                let reason = from_slice(second.as_bytes()).ok()?;
                Some(Self::SessionEnded {
                    session_id: first.to_owned(),
                    end: SessionEnd::of(reason),
                })
            }
            "request" => Some(Self::TokensRequested { session_id: first.to_owned() }),
            _ => None,
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    // These types always encode. An empty text would make the message invalid, so that other tabs
    // ignore it.
    serde_json::to_string(value).unwrap_or_default()
}
