//! `gatehouse seed`: creates fake accounts for testing and demos.

use std::{
    collections::HashSet,
    io::{self, IsTerminal as _, Write},
    time::Duration,
};

use app::{backend::ClientInfo, protocol::Role};
use clap::{Args, ValueEnum};
use fake::{
    Fake as _,
    faker::name::{en, zh_cn},
    rand::{RngExt as _, SeedableRng as _, rngs::StdRng},
};

use super::{open_or_create, user::CLI_ACTOR};
use crate::{
    accounts::hashing::{Client, Cost, HashError, Hasher},
    clock::Env,
    config::Config,
    domain::{password::Password, username::Username},
    store::{AuditContext, Event, NewUser, OpenError, Store, StoreError},
};

/// Smallest number of accounts that are inserted in one transaction.
const BATCH_MIN: usize = 5_000;
/// Largest number.
const BATCH_MAX: usize = 100_000;
/// Intended duration of a transaction. Each changes pages all over the indexes, so fewer and larger
/// ones are faster; but a server that writes meanwhile waits for it, at most five seconds, and
/// PostgreSQL's may take fifteen.
const BATCH_DURATION: Duration = Duration::from_secs(3);
/// Range of creation times before now, in seconds: two years.
const PAST: i64 = 2 * 365 * 86_400;

/// Arguments of `gatehouse seed`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Number of accounts to create
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    users: u32,
    /// Password shared by all accounts; without it no login is possible
    #[arg(long)]
    password: Option<String>,
    /// Language of the generated names
    #[arg(long, value_enum, default_value = "en")]
    lang: Lang,
}

/// Language of the generated names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English names.
    En,
    /// Chinese names.
    Zh,
}

/// Error of `gatehouse seed`.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database does not answer.
    #[error("{made} accounts were created: {source}")]
    Store {
        /// Number of accounts that were created.
        made: usize,
        /// Error of the database.
        source: StoreError,
    },
    /// The password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Print(#[from] io::Error),
}

/// Runs the command.
pub async fn run(
    arguments: Arguments,
    config: &Config,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), SeedError> {
    let (store, created) = open_or_create(config).await?;
    if let Some(path) = created {
        writeln!(out, "Created the database {}.", path.display())?;
    }
    let done = seed(arguments, &store, env, out).await;
    store.close_without_checkpoint().await;
    done
}

async fn seed(
    arguments: Arguments,
    store: &Store,
    env: &Env,
    out: &mut impl Write,
) -> Result<(), SeedError> {
    let Arguments { users, password, lang } = arguments;
    let wanted = usize::try_from(users).unwrap_or(usize::MAX);
    let known = password.is_some();
    // The password policy does not apply to fake accounts. Without a given password, a random one
    // is hashed and dropped.
    let password = Password::presented(password.unwrap_or_else(|| {
        env.random::<32>().iter().map(|byte| char::from(b'a' + byte % 26)).collect()
    }));
    let password_hash =
        Hasher::new(Cost::default(), 1, env.clone())?.hash(&password, Client::LOCAL).await?;
    writeln!(
        out,
        "{}",
        if known {
            "All accounts share one password hash: for testing only."
        } else {
            "The accounts cannot be logged in to: they share the hash of a random password."
        }
    )?;
    let began = env.clock.elapsed();
    let mut people = FakeUserGenerator {
        lang,
        rng: StdRng::from_seed(env.random()),
        env,
        begin: env.now().saturating_sub(PAST),
        wanted: users,
        made: 0,
        seen: HashSet::new(),
    };
    let mut progress = Progress::new(wanted);
    let mut made = 0;
    store.prepare_bulk_insert().await.map_err(|source| SeedError::Store { made, source })?;
    let mut size = BATCH_MIN;
    while made < wanted {
        let batch = (0..size.min(wanted - made)).map(|_| people.next(&password_hash)).collect();
        let batch_began = env.clock.elapsed();
        // Taken usernames are skipped; the next batch has others.
        made +=
            store.insert_users(batch).await.map_err(|source| SeedError::Store { made, source })?;
        size = next_batch(size, env.clock.elapsed().saturating_sub(batch_began));
        progress.show(made);
    }
    let context = AuditContext {
        at: env.now(),
        by: CLI_ACTOR.to_owned(),
        client_info: ClientInfo::default(),
    };
    let entry = context.entry(Event::UserCreated, None, Some(&format!("{made} seeded")));
    store.insert_audit_entry(entry).await.map_err(|source| SeedError::Store { made, source })?;
    let took = env.clock.elapsed().saturating_sub(began).as_secs_f64();
    writeln!(out, "Created {made} accounts in {took:.1} s.")?;
    Ok(())
}

/// Returns the number of accounts of the next transaction, after one of this size took this long.
fn next_batch(size: usize, took: Duration) -> usize {
    let milliseconds = |time: Duration| usize::try_from(time.as_millis()).unwrap_or(usize::MAX);
    let fitting = size.saturating_mul(milliseconds(BATCH_DURATION)) / milliseconds(took).max(1);
    fitting.min(size.saturating_mul(2)).clamp(BATCH_MIN, BATCH_MAX)
}

/// Generates accounts with believable names.
struct FakeUserGenerator<'a> {
    lang: Lang,
    rng: StdRng,
    env: &'a Env,
    /// Creation of the first account, in seconds of Unix time.
    begin: i64,
    /// Number of accounts to create.
    wanted: u32,
    /// Number of accounts generated so far.
    made: u32,
    /// Usernames generated so far: avoids most conflicts in the database.
    seen: HashSet<String>,
}

impl FakeUserGenerator<'_> {
    fn next(&mut self, password_hash: &str) -> NewUser {
        let created_at = self.next_creation();
        loop {
            let (nickname, typed) = self.name();
            let Ok(username) = Username::parse(&typed) else { continue };
            if self.seen.insert(username.key().to_owned()) {
                return NewUser {
                    id: self.env.uuid_at(created_at.saturating_mul(1000)),
                    username: username.shown().to_owned(),
                    name: username.name().clone(),
                    password_hash: password_hash.to_owned(),
                    nickname: Some(nickname),
                    role: Role::User,
                    // Usernames that are an address have no other one. Phone numbers are omitted:
                    // they could exist.
                    email: (!username.shown().contains('@')).then(|| self.address()),
                    created_at,
                };
            }
        }
    }

    /// Returns the next time of creation. The accounts are created in the order of their times, spread
    /// evenly: in any other order each would change pages all over the tables, and a million accounts
    /// would take many times as long.
    fn next_creation(&mut self) -> i64 {
        let share = PAST.saturating_mul(self.made.into()) / i64::from(self.wanted.max(1));
        self.made = self.made.saturating_add(1);
        self.begin.saturating_add(share.min(PAST))
    }

    /// Picks a domain reserved for examples (RFC 2606 §3).
    fn domain(&mut self) -> &'static str {
        ["example.com", "example.net", "example.org"][self.rng.random_range(0..3)]
    }

    fn address(&mut self) -> String {
        format!("{}@{}", self.rng.random_range(100_000_000..1_000_000_000_u64), self.domain())
    }

    /// Generates a display name and a matching username.
    fn name(&mut self) -> (String, String) {
        let domain = self.domain();
        let rng = &mut self.rng;
        // Range that is sufficient for a million unique usernames.
        let number = rng.random_range(1..100_000_u32);
        match self.lang {
            Lang::En => {
                let first: &str = en::FirstName().fake_with_rng(rng);
                let last: &str = en::LastName().fake_with_rng(rng);
                let letters = |name: &str| -> String {
                    name.chars()
                        .filter(char::is_ascii_alphabetic)
                        .map(|letter| letter.to_ascii_lowercase())
                        .collect()
                };
                let (one, other) = (letters(first), letters(last));
                let username = match rng.random_range(0..4) {
                    0 => format!("{one}.{other}@{domain}"),
                    1 => format!("{one}.{other}{number}@{domain}"),
                    2 => format!("{one}_{other}"),
                    _ => format!("{one}{number}"),
                };
                (format!("{first} {last}"), username)
            }
            Lang::Zh => {
                let name: String = zh_cn::Name().fake_with_rng(rng);
                let username = match rng.random_range(0..3) {
                    0 => name.clone(),
                    1 => format!("{name}{number}"),
                    _ => self.address(),
                };
                (name, username)
            }
        }
    }
}

/// Progress bar on standard error, if that is a terminal.
struct Progress {
    wanted: usize,
    is_watched: bool,
}

impl Progress {
    /// Characters of the bar.
    const WIDTH: usize = 40;

    fn new(wanted: usize) -> Self {
        Self { wanted, is_watched: io::stderr().is_terminal() }
    }

    /// Updates the bar. Errors of the terminal are ignored.
    fn show(&mut self, made: usize) {
        if !self.is_watched {
            return;
        }
        let end = if made >= self.wanted { "\n" } else { "" };
        let _ = write!(io::stderr(), "\r{}{end}", bar(made, self.wanted));
    }
}

fn bar(made: usize, wanted: usize) -> String {
    let done = (made * Progress::WIDTH)
        .checked_div(wanted)
        .unwrap_or(Progress::WIDTH)
        .min(Progress::WIDTH);
    format!("[{}{}] {made} of {wanted}", "#".repeat(done), "-".repeat(Progress::WIDTH - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_batch_fits_the_intended_duration() {
        for (size, took, next) in [
            (5_000, 0, 10_000),
            (10_000, 300, 20_000),
            (10_000, 2_400, 12_500),
            (60_000, 1_000, BATCH_MAX),
            (40_000, 4_000, 30_000),
            (40_000, 60_000, BATCH_MIN),
            (BATCH_MIN, 1_000_000_000, BATCH_MIN),
        ] {
            assert_eq!(next_batch(size, Duration::from_millis(took)), next, "{size} in {took} ms");
        }
    }

    #[test]
    fn next_returns_unique_names_of_the_language() {
        let env = Env::system();
        for (lang, is_of_lang) in [
            (Lang::En, (|name| name.is_ascii()) as fn(&str) -> bool),
            (Lang::Zh, |name| {
                name.chars().all(|character| ('\u{4e00}'..='\u{9fff}').contains(&character))
            }),
        ] {
            let begin = env.now() - PAST;
            let mut people = FakeUserGenerator {
                lang,
                rng: StdRng::from_seed([7; 32]),
                env: &env,
                begin,
                wanted: 2_000,
                made: 0,
                seen: HashSet::new(),
            };
            let made: Vec<_> = (0..2_000).map(|_| people.next("x")).collect();
            let keys: HashSet<_> = made.iter().map(|person| person.name.key.clone()).collect();
            assert_eq!(keys.len(), made.len());
            assert!(made.is_sorted_by_key(|person| (person.created_at, person.id)));
            for person in &made {
                let nickname = person.nickname.as_deref().unwrap();
                assert!(is_of_lang(&nickname.replace(['\'', ' ', '-'], "")), "{nickname}");
                assert!(app::validation::nickname::parse(nickname).is_ok(), "{nickname}");
                assert!((begin..=begin + PAST).contains(&person.created_at));
                assert_eq!(person.id.get_version_num(), 7);
            }
        }
    }

    #[test]
    fn bar_shows_progress() {
        assert_eq!(bar(0, 10), format!("[{}] 0 of 10", "-".repeat(40)));
        assert_eq!(bar(5, 10), format!("[{}{}] 5 of 10", "#".repeat(20), "-".repeat(20)));
        assert_eq!(bar(10, 10), format!("[{}] 10 of 10", "#".repeat(40)));
    }
}
