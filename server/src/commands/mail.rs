//! `gatehouse mail`: checks the settings of mail.

use std::io::{self, Write};

use app::i18n::Lang;
use clap::Subcommand;

use crate::{
    clock::Env,
    config::Config,
    mail::{MailOpenError, Mailer, SendError},
};

/// Subcommands of `gatehouse mail`.
#[derive(Clone, Debug, Subcommand)]
pub enum MailCommand {
    /// Send a test message; the exit code is 0 if the mail server has taken it, else 1
    Test {
        /// Email address of the recipient
        address: String,
        /// Language of the message: en or zh
        #[arg(long, default_value = "en", value_parser = language)]
        language: Lang,
    },
}

/// Error of a `gatehouse mail` command.
#[derive(Debug, thiserror::Error)]
pub enum MailCommandError {
    /// Mail is not set up.
    #[error(
        "mail is not set up: GATEHOUSE_MAIL_URL names the mail server, GATEHOUSE_MAIL_FROM the sender"
    )]
    Off,
    /// The transport.
    #[error(transparent)]
    Open(#[from] MailOpenError),
    /// The mail server has not taken the message.
    #[error("the message was not sent: {0}")]
    Send(#[from] SendError),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Runs the command.
///
/// # Errors
///
/// [`MailCommandError`] if mail is not set up, or the mail server does not take the message.
pub async fn run(
    command: MailCommand,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), MailCommandError> {
    let MailCommand::Test { address, language } = command;
    let settings = config.mail.as_ref().ok_or(MailCommandError::Off)?;
    let mailer = Mailer::open(settings)?;
    mailer.send_test(env, &address, language).await?;
    let destination = mailer.destination();
    writeln!(out, "{destination} has taken a message to {address}.")?;
    Ok(())
}

fn language(text: &str) -> Result<Lang, String> {
    match text {
        "en" => Ok(Lang::En),
        "zh" => Ok(Lang::Zh),
        other => Err(format!("{other:?} is neither \"en\" nor \"zh\"")),
    }
}
