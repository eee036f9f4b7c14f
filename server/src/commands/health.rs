//! `gatehouse health`: asks the running server whether it is ready, for containers without other
//! programs.

use std::{
    io::{self, Read as _, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use clap::Args;

use crate::{
    config::Config,
    http::health::{LIVE, READY},
};

/// Time limit of connecting, and of each read and write.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes that are read of the response: the status line is at its beginning.
const RESPONSE_MAX: u64 = 4096;

/// Arguments of `gatehouse health`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Check only that the process responds, not that it can reach its database
    #[arg(long)]
    live: bool,
}

/// Error of `gatehouse health`.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// No server responds at the address.
    #[error("no response from {addr}: {source}")]
    NoResponse {
        /// The address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The server reports that it is not ready, or another program has responded.
    #[error("{addr} is not ready: it responded with {status:?}")]
    NotReady {
        /// The address.
        addr: SocketAddr,
        /// The status line of the response.
        status: String,
    },
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Runs the command.
///
/// # Errors
///
/// [`HealthError`] if the server is not ready.
pub fn run(
    arguments: &Arguments,
    config: &Config,
    out: &mut impl Write,
) -> Result<(), HealthError> {
    let addr = reachable(config.addr);
    let path = if arguments.live { LIVE } else { READY };
    let status =
        status_of(addr, path).map_err(|source| HealthError::NoResponse { addr, source })?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(HealthError::NotReady { addr, status });
    }
    Ok(writeln!(out, "ok")?)
}

/// Returns an address at which a server that listens on all addresses can be reached.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, addr.port())
}

/// Returns the status line of a response.
fn status_of(addr: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(RESPONSE_MAX).read_to_end(&mut response)?;
    let line = response.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reachable_replaces_unspecified_addresses_by_loopback() {
        for (addr, expected) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.7:3000", "192.0.2.7:3000"),
            ("[2001:db8::7]:3000", "[2001:db8::7]:3000"),
        ] {
            let addr: SocketAddr = addr.parse().unwrap();
            assert_eq!(reachable(addr).to_string(), expected);
        }
    }
}
