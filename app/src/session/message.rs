//! What the browser's tabs tell each other of their sessions.
//!
//! A message carries the new state itself: it may arrive before another process sees what was
//! written to storage.

use super::{ports::Saved, state::Ending};
use crate::protocol::User;

/// What a tab tells the others.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// Somebody has logged in, and is remembered.
    Began(Saved),
    /// A session has a newer pair of tokens.
    Renewed(Saved),
    /// Somebody is called otherwise, or looks otherwise.
    Known(User),
    /// A session is over.
    Ended {
        /// Which.
        session: String,
        /// How.
        why: Ending,
    },
    /// Who has tokens of this session is asked to show them: a tab was duplicated, or has not
    /// listened for a while.
    Asked {
        /// Which.
        session: String,
    },
}

/// A line each: neither tokens nor JSON have any that break. A format of its own costs every
/// visitor less than one of serde's.
impl Message {
    /// The message as text.
    #[must_use]
    pub fn encode(&self) -> String {
        let line = |kind, first: &str, second: &str, third: &str| {
            format!("{kind}\n{first}\n{second}\n{third}")
        };
        match self {
            Self::Began(saved) => line("began", &saved.access, &saved.refresh, &json(&saved.user)),
            Self::Renewed(saved) => {
                line("renewed", &saved.access, &saved.refresh, &json(&saved.user))
            }
            Self::Known(user) => line("known", &json(user), "", ""),
            Self::Ended { session, why } => line("ended", session, &json(&why.reason()), ""),
            Self::Asked { session } => line("asked", session, "", ""),
        }
    }

    /// The message of a text; nothing where another version has written it.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (kind, first, second, third) =
            (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let saved = || {
            let user = serde_json::from_slice(third.as_bytes()).ok()?;
            Some(Saved { access: first.to_owned(), refresh: second.to_owned(), user })
                .filter(Saved::is_whole)
        };
        match kind {
            "began" => saved().map(Self::Began),
            "renewed" => saved().map(Self::Renewed),
            "known" => serde_json::from_slice(first.as_bytes()).ok().map(Self::Known),
            "ended" => {
                let reason = serde_json::from_slice(second.as_bytes()).ok()?;
                Some(Self::Ended { session: first.to_owned(), why: Ending::of(reason) })
            }
            "asked" => Some(Self::Asked { session: first.to_owned() }),
            _ => None,
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    // Data of ours always encodes; if it ever did not, nobody would understand the message, which
    // does no harm.
    serde_json::to_string(value).unwrap_or_default()
}
