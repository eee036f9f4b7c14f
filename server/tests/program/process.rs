//! The program, in a folder of its own.

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

/// How long a program that is to end by itself may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder to start the program in.
pub struct Place {
    pub folder: TempDir,
}

/// A program that serves. It is killed when dropped.
pub struct Running {
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
                    // Nobody listens any more where it has taken too long.
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

/// The program: `make soak` names the one that it has built for release.
fn program() -> String {
    std::env::var("GATEHOUSE_TEST_PROGRAM")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_gatehouse").to_owned())
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
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
        command
    }

    /// Runs the program until it ends by itself.
    pub fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        self.run_with(arguments, settings, "")
    }

    /// The same, with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Output {
        Self::run_to(self.command(arguments, settings).stdout(Stdio::piped()), input)
    }

    fn run_to(command: &mut Command, input: &str) -> Output {
        let mut child =
            command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        // It may have ended without reading.
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
        let id = child.id().to_string();
        let (ended, has_ended) = mpsc::channel::<()>();
        // One that starts although it should not have would serve for ever.
        let guard = thread::spawn(move || {
            if has_ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let output = child.wait_with_output().expect("its output");
        drop(ended);
        guard.join().expect("the guard");
        output
    }

    /// The only line that a program which does not start says.
    pub fn complaint(&self, settings: &[(&str, &str)]) -> String {
        let output = self.run(&[], settings);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    /// Starts the program, and waits until it says that it serves.
    pub fn serve(&self, settings: &[(&str, &str)]) -> Running {
        self.serve_with_command(self.command(&[], settings))
    }

    /// Starts the program with its output in the log, without waiting for anything.
    pub fn launch(&self, mut command: Command) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path().join("log"))
            .expect("a log");
        command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program")
    }

    /// Starts the program by another command, which becomes the program, and waits until it says
    /// that it serves.
    pub fn serve_with_command(&self, command: Command) -> Running {
        self.await_address(self.launch(command))
    }

    /// The same, with another log.
    pub fn serve_with(&self, settings: &[(&str, &str)], log: impl Into<Stdio>) -> Running {
        self.wait_for(self.command(&[], settings).stderr(log))
    }

    /// The same, started by a line of shell, in which `$0` is the program.
    pub fn serve_by(&self, script: &str) -> Running {
        let mut command = self.clean_command("/bin/sh");
        self.wait_for(command.args(["-c", script, &program()]))
    }

    fn wait_for(&self, command: &mut Command) -> Running {
        self.await_address(command.stdout(Stdio::piped()).spawn().expect("the program"))
    }

    fn await_address(&self, mut child: Child) -> Running {
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let address =
            line.trim().strip_prefix("Gatehouse is listening on http://").map(str::to_owned);
        let address = address.unwrap_or_else(|| panic!("{line:?}: {}", self.log()));
        Running { child, address }
    }

    /// Starts the program at an address, with another standard output, and waits until it answers
    /// there.
    pub fn serve_silently(&self, address: &str, output: impl Into<Stdio>) -> Running {
        let settings = [("GATEHOUSE_ADDR", address)];
        let child = self
            .command(&[], &settings)
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut running = Running { child, address: address.to_owned() };
        while running.call("GET", "/api/me", None, &Value::Null).is_none() {
            assert_eq!(running.child.try_wait().expect("its state"), None, "it has ended");
            thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// Runs the program with an output whose reader has gone.
    pub fn run_unread(&self, arguments: &[&str], input: &str) -> Output {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Self::run_to(self.command(arguments, &[]).stdout(writer), input)
    }

    /// Runs the program with another output.
    pub fn run_writing_to(&self, arguments: &[&str], output: impl Into<Stdio>) -> Output {
        Self::run_to(self.command(arguments, &[]).stdout(output), "")
    }

    /// Starts the program for something that does not end by itself.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let child =
            self.command(arguments, &[]).stdout(Stdio::piped()).spawn().expect("the program");
        Running { child, address: String::new() }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }
}

impl Running {
    /// One request over a connection of its own; `None` where the server is gone.
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

    /// The same with any bytes.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> Option<(u16, Vec<u8>)> {
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
        let status = String::from_utf8(answer).ok()?.split(' ').nth(1)?.parse().ok()?;
        Some((status, body))
    }

    /// What it says from now on.
    pub fn take_output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("its output")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits until it has ended by itself: its exit code.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("gone").code()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Its exit code, if it ends within a time.
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

    /// Asks it to stop, and waits until it has: its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("gone").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
