//! `gatehouse user`: manages user accounts. The server may be running or not.

use std::io::{self, Write};

use app::{
    backend::ClientInfo,
    i18n::Lang,
    protocol::{
        Role,
        users::{Account, AccountSort},
    },
    validation::{Problem, nickname},
};
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{
    open_or_create,
    output::Output,
    password::{self, PasswordError},
    terminal::{escaped, json},
};
use crate::{
    accounts::{
        addresses,
        hashing::{Client, Cost, HashError, Hasher},
        lookup,
    },
    clock::{Env, utc},
    config::Config,
    domain::{email_address::EmailAddress, username::Username},
    sessions::{
        administration::looked_for,
        invitations::{invitation, invitation_link},
    },
    store::{
        AccountChange, AccountChangeError, AccountChangeOutcome, AuditContext, Event, NewUser,
        OpenError, PageStart, PasswordChange, Store, StoreError, UserQuery, VerificationOutcome,
    },
};

/// Accounts per query.
const PAGE: u64 = 500;
/// The actor of command line changes in the audit log.
pub(super) const CLI_ACTOR: &str = "the command line";

/// Subcommands of `gatehouse user`.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Create an account; the password is prompted for, or read from the first line of standard
    /// input
    Create {
        /// Username: an email address or a handle; reserved names are allowed
        username: String,
        /// Display name
        #[arg(long)]
        nickname: Option<String>,
        /// Make the account an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Set a new password (prompted for, or read from standard input) and revoke all sessions
    Passwd(AccountSelector),
    /// Set the role of an account
    Role {
        /// The account.
        #[command(flatten)]
        selector: AccountSelector,
        /// Role: user or admin
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Disable an account and revoke its sessions
    Disable(AccountSelector),
    /// Enable a disabled account
    Enable(AccountSelector),
    /// Verify the address of an account without a message to it: the pending one, else the contact
    /// address, else the username
    Verify {
        /// The account.
        #[command(flatten)]
        selector: AccountSelector,
        /// Another address, which becomes the contact address
        #[arg(long)]
        address: Option<String>,
    },
    /// Create an invitation to register, valid for 7 days and once; prints the link, or sends it to
    /// the address where mail is configured
    Invite {
        /// Email address to send it to
        address: Option<String>,
    },
    /// List accounts, oldest first, one line per account
    List {
        /// Filter by prefix of username or nickname, or by exact email address or id
        #[arg(long)]
        search: Option<String>,
        /// Only administrators
        #[arg(long)]
        admins: bool,
        /// Only disabled accounts
        #[arg(long)]
        disabled: bool,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
}

/// Selects an account.
#[derive(Args, Clone, Debug)]
pub struct AccountSelector {
    /// Username or verified address in any spelling, or account id
    #[arg(value_name = "ACCOUNT")]
    account: String,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text)
        .ok_or_else(|| format!("there are: {}", Role::ALL.map(Role::as_str).join(", ")))
}

/// Error of a `gatehouse user` command.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account was not changed.
    #[error(transparent)]
    Change(AccountChangeError),
    /// There is no such account.
    #[error("there is no account {0:?}")]
    NoAccount(String),
    /// Another account has this name, or one that looks like it.
    #[error("the username {0:?} is taken, or looks like an existing one")]
    Taken(String),
    /// An invalid username or nickname.
    #[error("{}", .0.text(Lang::En))]
    Refused(Problem),
    /// The account has no address to verify.
    #[error("{0:?} has no unverified address")]
    NothingToVerify(String),
    /// Another account has verified the address.
    #[error("the address {0:?} is that of another account")]
    AddressTaken(String),
    /// The password input failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Runs the command.
pub async fn run(
    command: UserCommand,
    config: &Config,
    env: &Env,
    out: &mut Output<impl Write>,
) -> Result<(), UserError> {
    // The first account may be created before the first start of the server; other commands need a
    // database.
    let store = if matches!(command, UserCommand::Create { .. }) {
        let (store, created) = open_or_create(config).await?;
        if let Some(path) = created {
            writeln!(out, "Created the database {}.", path.display())?;
        }
        store
    } else {
        Store::open_existing(&config.database_url).await?
    };
    let done = UserCommandContext { store: &store, config, env }.serve(command, out).await;
    store.close_without_checkpoint().await;
    done
}

struct UserCommandContext<'a> {
    store: &'a Store,
    config: &'a Config,
    env: &'a Env,
}

impl UserCommandContext<'_> {
    async fn serve(
        &self,
        command: UserCommand,
        out: &mut Output<impl Write>,
    ) -> Result<(), UserError> {
        match command {
            UserCommand::Create { username, nickname, admin } => {
                let role = if admin { Role::Admin } else { Role::User };
                let id = self.create(&username, nickname.as_deref(), role).await?;
                let as_admin = if admin { " as administrator" } else { "" };
                writeln!(out, "Created the account {}{as_admin}: {id}", escaped(username.trim()))?;
            }
            UserCommand::Passwd(selector) => {
                let id = self.find(&selector).await?;
                let account = self.store.user(id).await?.ok_or_else(|| selector.not_found())?;
                // A username from before the current rules cannot be compared with the password.
                let username = Username::parse(&account.user.username).ok();
                let new = password::read_new(&self.config.password_policy(), username.as_ref())?;
                let hash = self.hasher()?.hash(&new, Client::LOCAL).await?;
                let change = PasswordChange {
                    user: id,
                    old_hash: None,
                    new_hash: hash,
                    kept: None,
                    cleared_subject: None,
                };
                let entry = self.act().entry(Event::PasswordChanged, Some(id), None);
                let ended = self
                    .store
                    .change_password(change, entry)
                    .await?
                    .ok_or_else(|| selector.not_found())?;
                writeln!(
                    out,
                    "Changed the password of {}. Revoked sessions: {}",
                    selector.shown(),
                    ended.len()
                )?;
            }
            UserCommand::Role { selector, role } => {
                let change = AccountChange { role: Some(role), ..AccountChange::default() };
                self.change(&selector, change).await?;
                writeln!(out, "{} has the role {} now.", selector.shown(), role.as_str())?;
            }
            UserCommand::Disable(selector) => {
                let change = AccountChange { disabled: Some(true), ..AccountChange::default() };
                let ended = self.change(&selector, change).await?;
                writeln!(out, "Disabled {}. {ended}", selector.shown())?;
            }
            UserCommand::Enable(selector) => {
                self.change(
                    &selector,
                    AccountChange { disabled: Some(false), ..AccountChange::default() },
                )
                .await?;
                writeln!(out, "Enabled {}.", selector.shown())?;
            }
            UserCommand::Invite { address } => self.invite(address.as_deref(), out).await?,
            UserCommand::Verify { selector, address } => {
                let address = self.verify(&selector, address.as_deref()).await?;
                writeln!(
                    out,
                    "Verified the address {} of {}.",
                    escaped(&address),
                    selector.shown()
                )?;
            }
            UserCommand::List { search, admins, disabled, json } => {
                let query = UserQuery {
                    search: search.as_deref().map(looked_for),
                    role: admins.then_some(Role::Admin),
                    disabled: disabled.then_some(true),
                    sort: AccountSort::Oldest,
                    start: PageStart::First,
                    limit: PAGE,
                };
                self.list(query, json, out).await?;
            }
        }
        Ok(())
    }

    async fn create(
        &self,
        typed: &str,
        typed_nickname: Option<&str>,
        role: Role,
    ) -> Result<Uuid, UserError> {
        let username = Username::parse(typed).map_err(UserError::Refused)?;
        let nickname =
            nickname::parse(typed_nickname.unwrap_or_default()).map_err(UserError::Refused)?;
        let taken = || UserError::Taken(username.shown().to_owned());
        // Checked before the prompt for a password.
        if self.store.is_taken(username.name()).await? {
            return Err(taken());
        }
        let password = password::read_new(&self.config.password_policy(), Some(&username))?;
        let new = NewUser {
            id: self.env.uuid(),
            username: username.shown().to_owned(),
            name: username.name().clone(),
            password_hash: self.hasher()?.hash(&password, Client::LOCAL).await?,
            nickname: nickname.map(str::to_owned),
            email: None,
            role,
            created_at: self.env.now(),
        };
        let id = new.id;
        let entry = self.act().entry(Event::UserCreated, Some(id), Some(role.as_str()));
        match self.store.insert_user(new, entry).await {
            Ok(_) => Ok(id),
            Err(StoreError::Conflict) => Err(taken()),
            Err(error) => Err(error.into()),
        }
    }

    /// Verifies the address of an account, and returns it.
    async fn verify(
        &self,
        selector: &AccountSelector,
        typed: Option<&str>,
    ) -> Result<String, UserError> {
        let id = self.find(selector).await?;
        let account = self.store.user(id).await?.ok_or_else(|| selector.not_found())?;
        let address = match typed {
            Some(typed) => EmailAddress::parse(typed).map_err(UserError::Refused)?,
            None => addresses::unverified(&account)
                .ok_or_else(|| UserError::NothingToVerify(selector.account.clone()))?,
        };
        let shown = address.shown().to_owned();
        let verification = addresses::verification(self.env, id, address)?;
        let entry = self.act().entry(Event::AddressVerified, Some(id), None);
        match self.store.verify_address(verification, entry).await? {
            VerificationOutcome::Verified(_) => Ok(shown),
            VerificationOutcome::Taken => Err(UserError::AddressTaken(shown)),
            VerificationOutcome::NoAccount => Err(selector.not_found()),
        }
    }

    /// Creates an invitation: sends it to the address where mail is configured, else prints its link.
    async fn invite(
        &self,
        typed: Option<&str>,
        out: &mut Output<impl Write>,
    ) -> Result<(), UserError> {
        let address = typed.map(EmailAddress::parse).transpose().map_err(UserError::Refused)?;
        let address = address.filter(|_| self.config.mail.is_some());
        let (code, message) = invitation(self.env, None, address.as_ref(), Lang::default());
        let link = invitation_link(self.config.site_url().as_deref(), &code);
        let entry = self.act().entry(Event::InvitationCreated, None, None);
        self.store.issue_code(code, message, entry).await?;
        match address {
            Some(address) => writeln!(
                out,
                "The running server sends the invitation to {}. It is valid for 7 days.",
                escaped(address.shown())
            )?,
            None => writeln!(out, "{link}\nThe link is valid for 7 days, for one registration.")?,
        }
        Ok(())
    }

    async fn change(
        &self,
        selector: &AccountSelector,
        change: AccountChange,
    ) -> Result<String, UserError> {
        let id = self.find(selector).await?;
        Self::ended(selector, self.store.change_account(id, change, self.act()).await)
    }

    /// Formats the result of a change.
    fn ended(
        selector: &AccountSelector,
        changed: Result<AccountChangeOutcome, AccountChangeError>,
    ) -> Result<String, UserError> {
        match changed {
            Ok(AccountChangeOutcome { ended }) => Ok(format!("Revoked sessions: {}", ended.len())),
            Err(AccountChangeError::NoAccount) => Err(selector.not_found()),
            Err(error) => Err(UserError::Change(error)),
        }
    }

    async fn list(
        &self,
        mut query: UserQuery,
        as_json: bool,
        out: &mut Output<impl Write>,
    ) -> Result<(), UserError> {
        loop {
            let page = self.store.accounts(&query, self.env.now()).await?;
            for account in &page.accounts {
                let line =
                    if as_json { json(account).map_err(io::Error::from)? } else { line(account) };
                writeln!(out, "{line}")?;
            }
            // The reader has gone, as in `gatehouse user list | head`.
            let Some(next) = page.next.filter(|_| !out.is_closed()) else {
                out.flush()?;
                return Ok(());
            };
            query.start = PageStart::After(next);
        }
    }

    async fn find(&self, selector: &AccountSelector) -> Result<Uuid, UserError> {
        lookup::find(self.store, &selector.account).await?.ok_or_else(|| selector.not_found())
    }

    fn hasher(&self) -> Result<Hasher, HashError> {
        Hasher::new(Cost::default(), 1, self.env.clone())
    }

    fn act(&self) -> AuditContext {
        AuditContext {
            at: self.env.now(),
            by: CLI_ACTOR.to_owned(),
            client_info: ClientInfo::default(),
        }
    }
}

impl AccountSelector {
    fn not_found(&self) -> UserError {
        UserError::NoAccount(self.account.clone())
    }

    fn shown(&self) -> String {
        escaped(&self.account)
    }
}

fn line(account: &Account) -> String {
    let Account { id, username, nickname, role, created_at, disabled_at, sessions, .. } = account;
    let state = if disabled_at.is_some() { "disabled" } else { "enabled" };
    let nickname =
        nickname.as_ref().map(|nickname| format!(" \"{}\"", escaped(nickname))).unwrap_or_default();
    format!(
        "{}  {id}  {:5}  {state:8}  sessions={sessions}  {}{nickname}",
        utc(*created_at),
        role.as_str(),
        escaped(username)
    )
}
