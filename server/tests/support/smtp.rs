//! A mail server for tests, with the faults of real ones.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
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
    /// True if it arrived over TLS.
    pub is_encrypted: bool,
}

impl Received {
    /// Returns a field of the header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let field = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
        head.split("\r\n").find_map(field)
    }
}

/// Encryption that a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// After the command STARTTLS (RFC 3207).
    StartTls,
    /// From the beginning (RFC 8314).
    Implicit,
}

/// Encryption with the configuration of its certificate.
type Tls = (Encryption, Arc<ServerConfig>);

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

    /// Serves with a certificate of its own for a host name or address; returns the certificate, too,
    /// as PEM.
    pub fn start_encrypted(encryption: Encryption, host: &str) -> (Self, String) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new([host.to_owned()]).expect("a host");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        (Self::serve(listener, Some((encryption, Arc::new(config)))), certificate.pem())
    }

    /// Serves on a listener.
    pub fn on(listener: TcpListener) -> Self {
        Self::serve(listener, None)
    }

    fn serve(listener: TcpListener, tls: Option<Tls>) -> Self {
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
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                // A client that disconnects is none of the server's business.
                thread::spawn(move || drop(serve(stream, tls, &shared)));
            }
        });
        Self { address, state }
    }

    /// The value of `GATEHOUSE_MAIL_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// As [`Self::url`], for an encrypted connection.
    pub fn encrypted_url(&self, encryption: Encryption) -> String {
        match encryption {
            Encryption::StartTls => format!("{}?tls=required", self.url()),
            Encryption::Implicit => format!("smtps://{}", self.address),
        }
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

/// A connection with or without TLS.
enum Connection {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Connection {
    fn encrypted(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self::Encrypted(Box::new(StreamOwned::new(session, stream))))
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

fn serve(stream: TcpStream, tls: Option<Tls>, shared: &(Mutex<State>, Condvar)) -> io::Result<()> {
    if lock(&shared.0).behaviour == Behaviour::Down {
        return Ok(());
    }
    stream.set_read_timeout(Some(TIMEOUT))?;
    let (connection, mut start_tls) = match tls {
        Some((Encryption::Implicit, config)) => (Connection::encrypted(stream, config)?, None),
        Some((Encryption::StartTls, config)) => (Connection::Plain(stream), Some(config)),
        None => (Connection::Plain(stream), None),
    };
    let mut client = BufReader::new(connection);
    client.get_mut().write_all(b"220 test ESMTP\r\n")?;
    let mut recipients = Vec::new();
    let mut line = String::new();
    while client.read_line(&mut line)? > 0 {
        let command = line.trim_end().to_owned();
        line.clear();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if verb == "MAIL" {
            lock(&shared.0).attempts += 1;
            recipients.clear();
        }
        let behaviour = lock(&shared.0).behaviour.clone();
        let answer = match (&*verb, &behaviour) {
            ("MAIL" | "RCPT" | "DATA", Behaviour::Down) => return Ok(()),
            (verb, Behaviour::Answer(of, answer)) if verb == *of => answer,
            ("EHLO", _) if start_tls.is_some() => "250-test\r\n250-8BITMIME\r\n250 STARTTLS",
            ("EHLO", _) => "250-test\r\n250 8BITMIME",
            ("STARTTLS", _) if start_tls.is_some() => {
                client.get_mut().write_all(b"220 go on\r\n")?;
                // The client sends nothing before the answer: nothing is buffered.
                if let (Connection::Plain(stream), Some(config)) =
                    (client.into_inner(), start_tls.take())
                {
                    client = BufReader::new(Connection::encrypted(stream, config)?);
                    continue;
                }
                return Ok(());
            }
            ("RCPT", _) => {
                recipients.push(between(&command, '<', '>'));
                "250 OK"
            }
            ("DATA", _) => {
                client.get_mut().write_all(b"354 go on\r\n")?;
                let Some(data) = read_message(&mut client, &behaviour)? else { return Ok(()) };
                let is_encrypted = matches!(client.get_ref(), Connection::Encrypted(_));
                let received = Received { recipients: recipients.clone(), data, is_encrypted };
                if let Behaviour::Answer(".", answer) = behaviour {
                    write!(client.get_mut(), "{answer}\r\n")?;
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
                "250 OK"
            }
            ("QUIT", _) => {
                client.get_mut().write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 OK",
        };
        write!(client.get_mut(), "{answer}\r\n")?;
    }
    Ok(())
}

/// Reads a message up to its final dot; [`None`] if the connection is to be closed in its middle.
fn read_message(
    lines: &mut BufReader<Connection>,
    behaviour: &Behaviour,
) -> io::Result<Option<String>> {
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
