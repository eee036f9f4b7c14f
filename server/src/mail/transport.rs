//! Transports: a mail server, or a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use app::i18n::{
    Lang,
    mail::{Mail, MailSite},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{self, extension::ClientId},
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::{
    MailSettings, MailTransport,
    compose::{Draft, compose},
};
use crate::clock::Env;

/// Time limit of a command to the mail server.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit of sending a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(90);
/// Characters of a mail server's answer that are logged.
const ANSWER_MAX: usize = 200;
/// Answers of 5xx that are about the login to the mail server, not about a message (RFC 4954 §6): a
/// changed password must not cost messages.
const AUTHENTICATION_CODES: [u16; 4] = [530, 534, 535, 538];

/// Sends messages.
#[derive(Debug)]
pub struct Mailer {
    channel: Channel,
    from: Mailbox,
    site: MailSite,
    /// Host and port, or folder.
    destination: String,
}

#[derive(Debug)]
enum Channel {
    /// With a connection for each message: a connection of a pool would be used again after an
    /// attempt that has timed out, and take its late answers for those to other messages.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Folder(PathBuf),
}

/// Error of sending a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be sent later: the mail server cannot be reached, or has answered 4xx.
    #[error("{0}")]
    Temporary(String),
    /// It cannot be sent: the mail server has answered 5xx, or the address is none.
    #[error("{reason}")]
    Permanent {
        /// Answer of the mail server, on one line.
        reason: String,
        /// Code of the answer.
        code: Option<u16>,
    },
}

/// Error of setting up mail.
#[derive(Debug, thiserror::Error)]
pub enum MailOpenError {
    /// The folder cannot be created.
    #[error("GATEHOUSE_MAIL_URL: the folder {} cannot be used: {source}", .path.display())]
    Folder {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("GATEHOUSE_MAIL_URL: {0}")]
    Smtp(#[from] smtp::Error),
}

impl Mailer {
    /// Prepares the transport. Nothing is sent yet, and the mail server need not be reachable.
    ///
    /// # Errors
    ///
    /// [`MailOpenError`] if the folder cannot be created, or the system has no certificates.
    pub fn open(settings: &MailSettings) -> Result<Self, MailOpenError> {
        let (channel, destination) = match &settings.transport {
            MailTransport::Folder(path) => {
                fs::create_dir_all(path)
                    .map_err(|source| MailOpenError::Folder { path: path.clone(), source })?;
                (Channel::Folder(path.clone()), path.display().to_string())
            }
            MailTransport::Smtp(relay) => {
                let host = settings.site.url.rsplit('/').next().unwrap_or_default();
                let host = host.split(':').next().unwrap_or_default();
                let transport =
                    AsyncSmtpTransport::<Tokio1Executor>::from_url(relay.url.expose_secret())?
                        .hello_name(ClientId::Domain(host.to_owned()))
                        .timeout(Some(COMMAND_TIMEOUT))
                        .build();
                let tls = if relay.is_encrypted { "with TLS" } else { "without TLS" };
                (Channel::Smtp(Box::new(transport)), format!("{} {tls}", relay.host))
            }
        };
        let (from, site) = (settings.from.clone(), settings.site.clone());
        Ok(Self { channel, from, site, destination })
    }

    /// Returns where messages go: host and port, or folder.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// Sends the test message at once, without the outbox.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the mail server does not take it.
    pub async fn send_test(&self, env: &Env, recipient: &str, lang: Lang) -> Result<(), SendError> {
        let (id, created_at) = (env.uuid(), env.now());
        self.send(Draft { id, recipient, lang, mail: &Mail::Test, created_at }).await
    }

    pub(super) async fn send(&self, draft: Draft<'_>) -> Result<(), SendError> {
        let message = compose(draft, &self.from, &self.site)
            .map_err(|error| SendError::Permanent { reason: error.to_string(), code: None })?;
        match &self.channel {
            Channel::Folder(folder) => write_file(folder.clone(), draft.id, &message).await,
            Channel::Smtp(transport) => {
                let sending = tokio::time::timeout(SEND_TIMEOUT, transport.send(message)).await;
                match sending {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(SendError::from(&error)),
                    Err(_) => Err(SendError::Temporary("the mail server is too slow".to_owned())),
                }
            }
        }
    }
}

impl From<&smtp::Error> for SendError {
    fn from(error: &smtp::Error) -> Self {
        let reason = one_line(&error.to_string());
        let code = error.status().map(u16::from);
        let is_about_login = code.is_some_and(|code| AUTHENTICATION_CODES.contains(&code));
        if error.is_permanent() && !is_about_login {
            Self::Permanent { reason, code }
        } else {
            Self::Temporary(reason)
        }
    }
}

/// Writes a message to a file that appears once it is complete. A second copy replaces the first.
async fn write_file(folder: PathBuf, id: Uuid, message: &Message) -> Result<(), SendError> {
    let bytes = message.formatted();
    let written = tokio::task::spawn_blocking(move || write_whole(&folder, id, &bytes)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(SendError::Temporary(error.to_string())),
        Err(error) => Err(SendError::Temporary(error.to_string())),
    }
}

fn write_whole(folder: &Path, id: Uuid, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{id}.part"));
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, folder.join(format!("{id}.eml")))
}

/// Makes text of a mail server fit for a line of the log.
fn one_line(text: &str) -> String {
    let printable = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    printable.take(ANSWER_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_settings(path: &Path) -> MailSettings {
        MailSettings {
            transport: MailTransport::Folder(path.to_owned()),
            from: "Gatehouse <no-reply@accounts.example>".parse().unwrap(),
            site: MailSite {
                name: "Gatehouse".to_owned(),
                url: "https://accounts.example".to_owned(),
                support_url: None,
            },
        }
    }

    #[tokio::test]
    async fn send_to_a_folder_writes_one_file_for_each_message() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::open(&folder_settings(&folder.path().join("mail"))).unwrap();
        for _ in 0..2 {
            mailer.send_test(&Env::system(), "ada@example.com", Lang::Zh).await.unwrap();
        }
        let files: Vec<_> = fs::read_dir(folder.path().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in files {
            assert_eq!(file.extension().unwrap(), "eml");
            assert!(fs::read_to_string(file).unwrap().contains("Auto-Submitted: auto-generated"));
        }
    }

    #[tokio::test]
    async fn send_to_an_invalid_address_fails_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::open(&folder_settings(folder.path())).unwrap();
        let sent =
            mailer.send_test(&Env::system(), "ada@example.com\r\nBcc: x@y.zz", Lang::En).await;
        assert!(matches!(sent, Err(SendError::Permanent { code: None, .. })), "{sent:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn one_line_replaces_control_characters_and_cuts() {
        assert_eq!(one_line("550 no\r\nsuch user\u{1b}[2J"), "550 no  such user [2J");
        assert_eq!(one_line(&"x".repeat(1000)).len(), ANSWER_MAX);
    }
}
