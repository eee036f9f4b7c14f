//! A PostgreSQL server of a test's own, to stop, kill and replace by its standby.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, Statement};
use tempfile::TempDir;

/// Timeout of a start or stop.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Options of the server. It does not wait for the disk, and the tests do not cut the power.
const OPTIONS: [&str; 6] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "log_checkpoints=off",
];

/// Shell command that creates the files of a server.
const INITIALIZATION: &str =
    "\"$BIN\"/initdb -D data -U gatehouse --auth trust -E UTF8 --no-locale --no-sync >/dev/null";

/// Runs a statement in the database of a URL.
pub fn execute(url: &str, statement: &str) {
    let work = async |connection: &DatabaseConnection| {
        connection.execute_unprepared(statement).await.map(|_| ())
    };
    connected(url, work).expect("executed");
}

/// Returns the text in the first column of the first row of a query.
pub fn select(url: &str, query: &str) -> Option<String> {
    try_select(url, query).expect("selected")
}

fn try_select(url: &str, query: &str) -> Result<Option<String>, DbErr> {
    connected(url, async |connection| {
        let query = Statement::from_string(DbBackend::Postgres, query);
        let row = connection.query_one_raw(query).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    })
}

fn connected<T>(
    url: &str,
    work: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, DbErr>,
) -> Result<T, DbErr> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let connection = Database::connect(url).await?;
        let done = work(&connection).await;
        connection.close().await?;
        done
    })
}

/// A server that listens on a Unix socket. Killed on drop.
pub struct PostgresServer {
    folder: TempDir,
    process: Option<Child>,
}

impl PostgresServer {
    /// Creates and starts a server.
    pub fn start() -> Self {
        let mut server = Self::in_new_folder();
        let initialized = server.command(INITIALIZATION).status();
        assert!(initialized.expect("a shell").success(), "{}", server.log());
        server.resume();
        server
    }

    /// Creates and starts a server whose files are in a file system of a size of its own, such as
    /// `80m`; [`None`] where none can be mounted.
    pub fn start_on_small_disk(size: &str) -> Option<Self> {
        let mut server = Self::in_new_folder();
        let mount = format!("mount -t tmpfs -o size={size},mode=700 none data");
        let inside = |script: &str| {
            let mut command =
                server.command("exec unshare -Um --map-current-user --keep-caps sh -c \"$0\"");
            command.arg(script);
            command
        };
        fs::create_dir(server.data()).expect("a folder");
        give_away(&server.data());
        let is_mountable = inside(&mount).status().expect("a shell").success();
        if !is_mountable {
            return None;
        }
        let started = inside(&format!("{mount} && {INITIALIZATION} && {}", server.execution()));
        server.await_ready(started);
        Some(server)
    }

    /// Creates a standby that follows this server and has what it commits before it is answered.
    pub fn start_standby(&mut self) -> Self {
        self.stop();
        let mut standby = Self::in_new_folder();
        let copied = Command::new("cp").arg("-a").arg(self.data()).arg(standby.data()).status();
        assert!(copied.expect("cp").success());
        fs::write(standby.data().join("standby.signal"), "").expect("written");
        let settings = standby.data().join("postgresql.auto.conf");
        let primary =
            format!("primary_conninfo = 'host={} user=gatehouse'\n", self.socket().display());
        fs::write(settings, primary).expect("written");
        self.resume();
        standby.resume();
        execute(&self.url(), "ALTER SYSTEM SET synchronous_standby_names = '*'");
        execute(&self.url(), "SELECT pg_reload_conf()");
        let state = "SELECT sync_state FROM pg_stat_replication";
        within_timeout(|| select(&self.url(), state).is_some_and(|state| state == "sync"));
        standby
    }

    /// Makes a standby a primary.
    pub fn promote(&self) {
        // No standby confirms its commits.
        execute(&self.url(), "SELECT pg_promote()");
    }

    /// Starts it again.
    pub fn resume(&mut self) {
        let execution = self.command(&self.execution());
        self.await_ready(execution);
    }

    /// Stops it; its connections are cut.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        // The signal of a fast shutdown.
        let sent = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
        assert!(sent.expect("kill").success());
        process.wait().expect("gone");
    }

    /// Kills it; its connections are cut without a word.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("killed");
        process.wait().expect("gone");
    }

    /// Folder of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// URL of its database.
    pub fn url(&self) -> String {
        Self::url_at(&self.socket())
    }

    /// URL of the database of the server whose socket is in a folder.
    pub fn url_at(socket: &Path) -> String {
        format!("postgres://gatehouse@localhost/postgres?host={}", socket.display())
    }

    /// Fills its file system.
    pub fn fill_disk(&self) {
        let filled = self.command(&format!("cat /dev/zero >{}", self.filler())).status();
        assert!(!filled.expect("a shell").success(), "the file system has no end");
    }

    /// Removes what has filled its file system.
    pub fn free_disk(&self) {
        let removed = self.command(&format!("rm {}", self.filler())).status();
        assert!(removed.expect("a shell").success(), "{}", self.log());
    }

    /// A file in the file system that only the server sees.
    fn filler(&self) -> String {
        let id = self.process.as_ref().expect("it runs").id();
        format!("/proc/{id}/root{}/filler", self.data().display())
    }

    fn in_new_folder() -> Self {
        let server = Self { folder: tempfile::tempdir().expect("a folder"), process: None };
        // The gatehouse processes reach the socket as another user.
        let mode = fs::Permissions::from_mode(0o711);
        fs::set_permissions(server.folder.path(), mode).expect("permitted");
        give_away(server.folder.path());
        fs::create_dir(server.socket()).expect("a folder");
        give_away(&server.socket());
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn execution(&self) -> String {
        let options = OPTIONS.map(|option| format!("-c {option}")).join(" ");
        format!("exec \"$BIN\"/postgres -D data -k {} {options}", self.socket().display())
    }

    /// A shell script that runs as the owner of the files, with its output in the log.
    fn command(&self, script: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.expect("a log");
        let bin = std::env::var("GATEHOUSE_TEST_POSTGRES_BIN").expect("PostgreSQL's programs");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir(self.folder.path()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("BIN", bin).env("TZ", "UTC");
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        if let Some((user, group)) = owner() {
            command.uid(user).gid(group);
        }
        command
    }

    fn await_ready(&mut self, mut command: Command) {
        let mut process = command.spawn().expect("a shell");
        let began = Instant::now();
        while try_select(&self.url(), "SELECT version()").is_err() {
            assert_eq!(process.try_wait().expect("its state"), None, "{}", self.log());
            assert!(began.elapsed() < TIMEOUT, "{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
        self.process = Some(process);
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The signal of an immediate shutdown, which also ends the children.
            let _ = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }
}

/// Makes a file or folder that of the server's user.
fn give_away(path: &Path) {
    if let Some((user, group)) = owner() {
        chown(path, Some(user), Some(group)).expect("given away");
    }
}

fn within_timeout(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < TIMEOUT, "not in time");
        thread::sleep(Duration::from_millis(20));
    }
}

/// User and group of the server, which does not run as root; [`None`] for those of the test.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let of = |user: &str| {
        let id = |option: &str| {
            let output = Command::new("id").args([option, user]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some((id("-u")?, id("-g")?))
    };
    of("postgres").or_else(|| of("nobody"))
}
