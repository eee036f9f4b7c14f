//! For `make bench`: how many changes a second the embedded database makes on this disk when each
//! is a commit of its own, one after the other: its limit for whoever does not let them share one.
//! The folder for the database is the argument; the way of writing is the server's, and so is the
//! row, about as long as a session's.

use std::{env, error::Error, fmt::Write as _, io::Write as _, path::PathBuf, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use server::clock::{Clock as _, SystemClock};

/// How long it counts.
const TIME: Duration = Duration::from_secs(6);
/// Commits that are asked for at a time: the way to the database's thread and back counts for
/// nothing.
const AT_A_TIME: u32 = 50;
/// Rows, of which each commit changes one.
const ROWS: u32 = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("Name a folder.")?);
    let mut options =
        ConnectOptions::new(format!("sqlite://{}?mode=rwc", folder.join("bare.sqlite").display()));
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    database
        .execute_unprepared("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, rest TEXT NOT NULL);")
        .await?;
    let rest = "x".repeat(100);
    let rows: Vec<_> = (0..ROWS).map(|id| format!("({id}, 1, '{rest}')")).collect();
    database
        .execute_unprepared(&format!("INSERT OR IGNORE INTO bare VALUES {};", rows.join(",")))
        .await?;

    let clock = SystemClock::default();
    let mut commits = 0_u32;
    while clock.elapsed() < TIME {
        let mut script = String::new();
        for number in commits..commits + AT_A_TIME {
            write!(
                script,
                "BEGIN IMMEDIATE; UPDATE bare SET generation = generation + 1 WHERE id = {}; COMMIT;",
                number % ROWS
            )?;
        }
        database.execute_unprepared(&script).await?;
        commits += AT_A_TIME;
    }
    let rate = f64::from(commits) / clock.elapsed().as_secs_f64();
    database.close().await?;
    writeln!(std::io::stdout(), "{rate:.1}")?;
    Ok(())
}
