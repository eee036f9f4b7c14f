//! Notifications to a service manager such as systemd: ready, stopping, and the watchdog (the
//! protocol of `sd_notify(3)`).

use std::{
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt as _, net::UnixDatagram},
    sync::Arc,
    time::Duration,
};

/// The service manager that started this process, if it asked for notifications. A handle: clones
/// share the socket.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    socket: Option<Arc<UnixDatagram>>,
    /// Interval of the notifications that the process is alive; `None` without a watchdog.
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// Connects to the socket that the environment names (`NOTIFY_SOCKET`). A socket that cannot be
    /// used is logged, and nothing is notified.
    #[must_use]
    pub fn from_environment() -> Self {
        let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())
        else {
            return Self::default();
        };
        match connect(&address) {
            Ok(socket) => Self { socket: Some(Arc::new(socket)), watchdog: watchdog_interval() },
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET cannot be used: the service manager is not notified");
                Self::default()
            }
        }
    }

    /// Reports that the start is complete, and from then on that the process is alive, if the
    /// service manager watches that. The watchdog runs on the runtime that serves requests.
    pub fn ready(&self) {
        self.notify("READY=1");
        let Some(interval) = self.watchdog else { return };
        let manager = self.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(interval);
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                interval.tick().await;
                manager.notify("WATCHDOG=1");
            }
        });
    }

    /// Reports that the process is about to end.
    pub fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    fn notify(&self, state: &str) {
        let sent = self.socket.as_ref().map(|socket| socket.send(state.as_bytes()));
        if let Some(Err(error)) = sent {
            tracing::debug!(%error, state, "the service manager was not notified");
        }
    }
}

/// Connects to a path, or to an abstract address, which begins with `@`.
fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    match address.as_bytes().strip_prefix(b"@") {
        Some(name) => connect_abstract(&socket, name)?,
        None => socket.connect(address)?,
    }
    // A service manager that does not read must not delay the server.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> io::Result<()> {
    use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};
    socket.connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns half of the time after which the service manager ends a silent process, as
/// `sd_watchdog_enabled(3)` advises; `None` if it watches none, or another process.
fn watchdog_interval() -> Option<Duration> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>());
    let is_for_other = match number("WATCHDOG_PID") {
        Some(pid) => pid != Ok(std::process::id().into()),
        None => false,
    };
    let limit = number("WATCHDOG_USEC")?.ok().filter(|limit| *limit > 1)?;
    (!is_for_other).then(|| Duration::from_micros(limit / 2))
}
