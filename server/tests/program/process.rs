//! Test harness: runs the executable in its own folder.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{database::PostgresDatabase, postgres_server};

/// Timeout of a command that ends by itself.
const EXIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A temporary working directory of the executable.
pub struct TestDir {
    pub folder: TempDir,
    postgres: Option<PostgresDatabase>,
}

/// A running server, killed on drop.
pub struct RunningServer {
    child: Child,
    pub address: String,
}

/// Asserts that a condition becomes true within a second.
pub fn within_a_second(is_so: impl Fn() -> bool + Sync) {
    within(Duration::from_secs(1), is_so);
}

/// Asserts that a condition becomes true within a time.
pub fn within(limit: Duration, is_so: impl Fn() -> bool + Sync) {
    let is_late = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_late.load(Ordering::Relaxed) {
                if is_so() {
                    // After the timeout the receiver is gone.
                    let _ = sender.send(());
                    break;
                }
            }
        });
        let told = receiver.recv_timeout(limit);
        is_late.store(true, Ordering::Relaxed);
        told.expect("in time");
    });
}

/// The executable; `make soak` sets the variable to the release build.
fn program() -> String {
    std::env::var("GATEHOUSE_TEST_PROGRAM")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_gatehouse").to_owned())
}

impl TestDir {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, postgres: PostgresDatabase::create() }
    }

    /// Returns whether its database is PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Runs a statement in its PostgreSQL database.
    pub fn execute(&self, statement: &str) {
        postgres_server::execute(&self.postgres_url(), statement);
    }

    /// Returns the URL of its PostgreSQL database.
    pub fn postgres_url(&self) -> String {
        self.postgres.as_ref().expect("PostgreSQL").url()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = self.clean_command(&program());
        command.args(arguments).envs(settings.iter().copied());
        command
    }

    fn clean_command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env_clear().env("GATEHOUSE_ADDR", "127.0.0.1:0");
        command.env("GATEHOUSE_KEYS_SECRET", "the secret of the keys of a test");
        if let Some(database) = &self.postgres {
            command.env("GATEHOUSE_DATABASE_URL", database.url());
            command.env("GATEHOUSE_DATABASE_CONNECTIONS", "8");
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        self.run_with(arguments, settings, "")
    }

    /// Runs a command with standard input.
    pub fn run_with(&self, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Output {
        Self::run_to(self.command(arguments, settings).stdout(Stdio::piped()), input)
    }

    fn run_to(command: &mut Command, input: &str) -> Output {
        let mut child =
            command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        // The command may end without reading its input.
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
        let id = child.id().to_string();
        let (ended, has_ended) = mpsc::channel::<()>();
        // A server that starts against the expectation would never end.
        let guard = thread::spawn(move || {
            if has_ended.recv_timeout(EXIT_TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let output = child.wait_with_output().expect("its output");
        drop(ended);
        guard.join().expect("the guard");
        output
    }

    /// Runs a start that must fail, and returns its error message.
    pub fn startup_error(&self, settings: &[(&str, &str)]) -> String {
        let output = self.run(&[], settings);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    /// Starts the server and waits for its address.
    pub fn serve(&self, settings: &[(&str, &str)]) -> RunningServer {
        self.serve_with_command(self.command(&[], settings))
    }

    /// Starts the executable with its log in a file, without waiting.
    pub fn launch(&self, mut command: Command) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path().join("log"))
            .expect("a log");
        command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program")
    }

    /// Starts the server with a command that executes it, and waits for its address.
    pub fn serve_with_command(&self, command: Command) -> RunningServer {
        self.await_address(self.launch(command))
    }

    /// Starts the server with another standard error.
    pub fn serve_with(&self, settings: &[(&str, &str)], log: impl Into<Stdio>) -> RunningServer {
        self.wait_for(self.command(&[], settings).stderr(log))
    }

    /// Starts the server from a shell script, in which `$0` is the executable.
    pub fn serve_by(&self, script: &str) -> RunningServer {
        let mut command = self.clean_command("/bin/sh");
        command.args(["-c", script, &program()]);
        self.serve_with_command(command)
    }

    fn wait_for(&self, command: &mut Command) -> RunningServer {
        self.await_address(command.stdout(Stdio::piped()).spawn().expect("the program"))
    }

    pub fn await_address(&self, mut child: Child) -> RunningServer {
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let address =
            line.trim().strip_prefix("Gatehouse is listening on http://").map(str::to_owned);
        let address = address.unwrap_or_else(|| panic!("{line:?}: {}", self.log()));
        RunningServer { child, address }
    }

    /// Starts the server at an address, with another standard output, and waits until it responds.
    pub fn serve_silently(&self, address: &str, output: impl Into<Stdio>) -> RunningServer {
        let settings = [("GATEHOUSE_ADDR", address)];
        let child = self
            .command(&[], &settings)
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut running = RunningServer { child, address: address.to_owned() };
        while running.call("GET", "/api/me", None, &Value::Null).is_none() {
            assert_eq!(running.child.try_wait().expect("its state"), None, "it has ended");
            thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// Runs a command whose standard output has no reader.
    pub fn run_unread(&self, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Output {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Self::run_to(self.command(arguments, settings).stdout(writer), input)
    }

    /// Runs a command with another standard output.
    pub fn run_writing_to(&self, arguments: &[&str], output: impl Into<Stdio>) -> Output {
        Self::run_to(self.command(arguments, &[]).stdout(output), "")
    }

    /// Starts a command that does not end by itself.
    pub fn start(&self, arguments: &[&str]) -> RunningServer {
        let child =
            self.command(arguments, &[]).stdout(Stdio::piped()).spawn().expect("the program");
        RunningServer { child, address: String::new() }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }
}

impl RunningServer {
    /// Sends a request over a new connection; `None` if the server is gone.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let (status, body) = self.send(method, path, token, body.to_string().as_bytes())?;
        Some((status, serde_json::from_slice(&body).ok()?))
    }

    /// Like [`Self::call`], and returns the value of the header `Retry-After` instead of the body.
    pub fn call_for_retry(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Option<(u16, Option<String>)> {
        let (head, _) = self.exchange(method, path, token, body.to_string().as_bytes())?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = lines.filter_map(|line| line.split_once(": "));
        let retry = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        Some((status, retry.map(|(_, value)| value.to_owned())))
    }

    /// Sends a request with any bytes as body.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> Option<(u16, Vec<u8>)> {
        let (head, body) = self.exchange(method, path, token, body)?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body))
    }

    /// Sends a request and returns the head and the body of its response.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> Option<(String, Vec<u8>)> {
        let authorization =
            token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {authorization}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let body = answer.split_off(end + 4);
        Some((String::from_utf8(answer).ok()?, body))
    }

    /// Takes its standard output.
    pub fn take_output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("its output")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits for its end and returns the exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("gone").code()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Returns its exit code; fails if it does not end within the time.
    pub fn ended_within(mut self, time: Duration) -> Option<i32> {
        let id = self.child.id().to_string();
        let (ended, has_ended) = mpsc::channel::<()>();
        let guard = thread::spawn(move || {
            let is_late = has_ended.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout);
            if is_late {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
            is_late
        });
        let code = self.child.wait().expect("gone").code();
        drop(ended);
        assert!(!guard.join().expect("the guard"), "it has not ended within {time:?}");
        code
    }

    /// Sends SIGTERM, waits for its end and returns the exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("gone").code()
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
