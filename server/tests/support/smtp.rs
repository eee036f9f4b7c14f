//! A mail server for tests, with the faults of real ones.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// Longest wait for an event.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Treatment of messages from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes them.
    Accept,
    /// Closes each connection at once.
    Down,
    /// Answers a command with this line: `MAIL`, `RCPT`, `DATA`, or `.` for the end of the message.
    Answer(&'static str, &'static str),
    /// Closes the connection after the first line of a message.
    DropInMessage,
    /// Takes a message and closes the connection instead of answering.
    DropAfterMessage,
    /// Takes a message, and answers once the behaviour is another one.
    Stall,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Addresses of the envelope.
    pub recipients: Vec<String>,
    /// Header and body.
    pub data: String,
}

impl Received {
    /// Returns a field of the header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let field = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
        head.split("\r\n").find_map(field)
    }
}

struct State {
    behaviour: Behaviour,
    received: Vec<Received>,
    /// Number of `MAIL` commands.
    attempts: usize,
    is_stopped: bool,
}

/// A mail server on loopback. It stops when it is dropped.
pub struct SmtpServer {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl SmtpServer {
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    /// Serves on a listener.
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("an address");
        let state = State {
            behaviour: Behaviour::Accept,
            received: Vec::new(),
            attempts: 0,
            is_stopped: false,
        };
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if lock(&shared.0).is_stopped {
                    break;
                }
                let shared = Arc::clone(&shared);
                // A client that disconnects is none of the server's business.
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Self { address, state }
    }

    /// The value of `GATEHOUSE_MAIL_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn set(&self, behaviour: Behaviour) {
        lock(&self.state.0).behaviour = behaviour;
        self.state.1.notify_all();
    }

    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.0).received.clone()
    }

    pub fn attempts(&self) -> usize {
        lock(&self.state.0).attempts
    }

    /// Waits for this number of messages, and returns them.
    pub fn await_messages(&self, count: usize) -> Vec<Received> {
        let state = lock(&self.state.0);
        let (state, waited) = self
            .state
            .1
            .wait_timeout_while(state, TIMEOUT, |state| state.received.len() < count)
            .expect("no panic");
        assert!(!waited.timed_out(), "{} of {count} messages", state.received.len());
        state.received.clone()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let mut state = lock(&self.state.0);
        state.is_stopped = true;
        state.behaviour = Behaviour::Down;
        drop(state);
        self.state.1.notify_all();
        // Wakes the listener up.
        drop(TcpStream::connect(self.address));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no panic")
}

fn serve(stream: TcpStream, shared: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    if lock(&shared.0).behaviour == Behaviour::Down {
        return Ok(());
    }
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    stream.write_all(b"220 test ESMTP\r\n")?;
    let mut recipients = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let command = line.trim_end().to_owned();
        line.clear();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if verb == "MAIL" {
            lock(&shared.0).attempts += 1;
            recipients.clear();
        }
        let behaviour = lock(&shared.0).behaviour.clone();
        match (&*verb, &behaviour) {
            ("MAIL" | "RCPT" | "DATA", Behaviour::Down) => return Ok(()),
            (verb, Behaviour::Answer(of, answer)) if verb == *of => {
                write!(stream, "{answer}\r\n")?;
            }
            ("EHLO", _) => stream.write_all(b"250-test\r\n250 8BITMIME\r\n")?,
            ("RCPT", _) => {
                recipients.push(between(&command, '<', '>'));
                stream.write_all(b"250 OK\r\n")?;
            }
            ("DATA", _) => {
                stream.write_all(b"354 go on\r\n")?;
                let Some(data) = read_message(&mut lines, &behaviour)? else { return Ok(()) };
                let received = Received { recipients: recipients.clone(), data };
                if let Behaviour::Answer(".", answer) = behaviour {
                    write!(stream, "{answer}\r\n")?;
                    continue;
                }
                let mut state = lock(&shared.0);
                state.received.push(received);
                shared.1.notify_all();
                if behaviour == Behaviour::DropAfterMessage {
                    return Ok(());
                }
                let is_stalled = |state: &mut State| state.behaviour == Behaviour::Stall;
                drop(shared.1.wait_timeout_while(state, TIMEOUT, is_stalled).expect("no panic"));
                stream.write_all(b"250 OK\r\n")?;
            }
            ("QUIT", _) => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => stream.write_all(b"250 OK\r\n")?,
        }
    }
    Ok(())
}

/// Reads a message up to its final dot; [`None`] if the connection is to be closed in its middle.
fn read_message(
    lines: &mut BufReader<TcpStream>,
    behaviour: &Behaviour,
) -> std::io::Result<Option<String>> {
    let mut data = String::new();
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        if *behaviour == Behaviour::DropInMessage {
            return Ok(None);
        }
        if line == ".\r\n" {
            return Ok(Some(data));
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        line.clear();
    }
    Ok(None)
}

fn between(text: &str, start: char, end: char) -> String {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split(end).next().unwrap_or_default().to_owned()
}
