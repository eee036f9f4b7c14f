//! Messages to users, as they wait in the outbox.

use app::i18n::{Lang, mail::Mail};
use uuid::Uuid;

use crate::clock::Env;

/// A mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A UUIDv7. The `Message-ID` is made of it, so that two copies of a message, if there ever
    /// are, can be recognized as such.
    pub id: Uuid,
    /// The account that the message is about; [`None`] if it is about none. Messages about an
    /// account are deleted with it.
    pub user: Option<Uuid>,
    /// E-mail address.
    pub recipient: String,
    /// Language of the text.
    pub lang: Lang,
    /// The text with its parameters.
    pub mail: Mail,
    /// Seconds of Unix time.
    pub created_at: i64,
}

impl Message {
    /// A message that is written now.
    #[must_use]
    pub fn new(env: &Env, user: Option<Uuid>, recipient: String, lang: Lang, mail: Mail) -> Self {
        Self { id: env.uuid(), user, recipient, lang, mail, created_at: env.now() }
    }
}
