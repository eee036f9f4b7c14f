//! For `make bench`: sequential single-row commits per second of the embedded database on this
//! disk, the limit without group commit. The argument is the folder for the database; the settings
//! are the server's, and the row is about as long as a session's.

use std::{env, error::Error, fmt::Write as _, io::Write as _, path::PathBuf, time::Duration};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use server::clock::{Clock as _, SystemClock};

/// Duration of the measurement.
const TIME: Duration = Duration::from_secs(6);
/// Commits per call to the database thread, so that its round trip does not count.
const AT_A_TIME: u32 = 50;
/// Rows of the table; each commit changes one.
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
