//! Mail: settings, transports and the task that sends what waits in the outbox.

mod compose;
mod outbox;
mod settings;
mod transport;

pub use outbox::{GIVE_UP_SECONDS, LEASE_SECONDS, MailService};
pub(crate) use settings::parse_sender;
pub use settings::{MailSettings, MailTransport, SmtpRelay};
pub use transport::{MailOpenError, Mailer, SendError};
