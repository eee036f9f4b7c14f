//! `gatehouse audit`: prints the audit log. The server may be running or not.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, Write},
    time::Duration,
};

use clap::Args;
use uuid::Uuid;

use super::{audit_line::Line, datetime, output::Output};
use crate::{
    accounts::lookup,
    clock::Env,
    network::{Network, ParseNetworkError},
    store::{AuditFilter, Event, OpenError, Outcome, Store, StoreError, StoredEntry},
};

/// Entries per query.
const PAGE: u64 = 1000;
/// Poll interval of `--follow`.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Arguments of `gatehouse audit`: filters and output format.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Only entries of this account: username in any spelling, or account id
    #[arg(long)]
    user: Option<String>,
    /// Only entries with this event
    #[arg(long, value_parser = event)]
    event: Option<Event>,
    /// Only entries with this outcome
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Only entries since a time (2027-01-31, 2027-01-31T12:00:00Z) or of the last duration (90s,
    /// 15m, 12h, 7d)
    #[arg(long)]
    since: Option<String>,
    /// Only entries from this IP address or network
    #[arg(long, value_parser = network)]
    address: Option<Network>,
    /// Only the newest COUNT entries
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
    /// Keep running and print new entries
    #[arg(long)]
    follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

fn named<T: Copy, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
    text: &str,
) -> Result<T, String> {
    let found = all.into_iter().find(|one| name(*one) == text);
    found.ok_or_else(|| format!("there are: {}", all.map(name).join(", ")))
}

fn event(text: &str) -> Result<Event, String> {
    named(Event::ALL, Event::as_str, text)
}

fn outcome(text: &str) -> Result<Outcome, String> {
    named(Outcome::ALL, Outcome::as_str, text)
}

fn network(text: &str) -> Result<Network, ParseNetworkError> {
    text.parse()
}

/// Error of `gatehouse audit`.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such account.
    #[error("there is no account {0:?}")]
    NoAccount(String),
    /// An invalid time.
    #[error("{0:?} is not a time (examples: 2027-01-31, 2027-01-31T12:00:00Z, 12h)")]
    InvalidTime(String),
    /// Nothing can be written.
    #[error("the log cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Runs the command.
pub async fn run(
    arguments: &Arguments,
    database_url: &str,
    env: &Env,
    out: &mut Output<impl Write>,
) -> Result<(), AuditError> {
    let store = Store::open_existing(database_url).await?;
    let shown = show(arguments, &store, env, out).await;
    store.close().await;
    shown
}

async fn show(
    arguments: &Arguments,
    store: &Store,
    env: &Env,
    out: &mut Output<impl Write>,
) -> Result<(), AuditError> {
    let filter = AuditFilter {
        event: arguments.event,
        outcome: arguments.outcome,
        user: match &arguments.user {
            Some(user) => {
                let found = lookup::find(store, user).await?;
                Some(found.ok_or_else(|| AuditError::NoAccount(user.clone()))?)
            }
            None => None,
        },
        since: match &arguments.since {
            Some(text) => Some(
                datetime::parse(text, env.now())
                    .ok_or_else(|| AuditError::InvalidTime(text.clone()))?,
            ),
            None => None,
        },
    };
    let mut log = Log { arguments, store, filter, seen: 0, names: HashMap::new() };
    if let Some(count) = arguments.last {
        let mut newest = VecDeque::new();
        while let Some(page) = log.next().await? {
            newest.extend(page);
            newest.drain(..newest.len().saturating_sub(count));
        }
        log.print(newest.make_contiguous(), out).await?;
    }
    loop {
        while let Some(page) = log.next().await? {
            log.print(&page, out).await?;
            // The reader has gone, as in `gatehouse audit | head`.
            if out.is_closed() {
                return Ok(());
            }
        }
        if !arguments.follow || out.is_closed() {
            return Ok(());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Cursor over the matching entries.
struct Log<'a> {
    arguments: &'a Arguments,
    store: &'a Store,
    filter: AuditFilter,
    seen: i64,
    names: HashMap<Uuid, Option<String>>,
}

impl Log<'_> {
    /// Returns the next entries; [`None`] if there are none yet.
    async fn next(&mut self) -> Result<Option<Vec<StoredEntry>>, AuditError> {
        let complete = self.store.complete_audit_entries().await?;
        let mut page = self.store.audit_page(self.filter, self.seen, PAGE).await?;
        page.retain(|entry| entry.id <= complete);
        let Some(last) = page.last() else { return Ok(None) };
        self.seen = last.id;
        if let Some(network) = self.arguments.address {
            let address = |entry: &StoredEntry| {
                entry.address.as_deref().and_then(|address| address.parse().ok())
            };
            page.retain(|entry| address(entry).is_some_and(|address| network.contains(address)));
        }
        Ok(Some(page))
    }

    async fn print(
        &mut self,
        entries: &[StoredEntry],
        out: &mut impl Write,
    ) -> Result<(), AuditError> {
        for entry in entries {
            if let Some(id) = entry.user
                && !self.names.contains_key(&id)
            {
                let name = self.store.user(id).await?.map(|account| account.user.username);
                self.names.insert(id, name);
            }
            let username = entry.user.and_then(|id| self.names.get(&id)?.as_deref());
            let line = Line { entry, username };
            let line = if self.arguments.json {
                line.json().map_err(io::Error::from)?
            } else {
                line.text()
            };
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        Ok(())
    }
}
