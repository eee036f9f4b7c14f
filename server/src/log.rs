//! Logging to standard error, through a bounded queue and a thread. A blocked standard error never
//! delays or changes a response.

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::config::{Config, LogFormat};

/// Largest size of queued log lines, in bytes. Lines beyond it are dropped and counted.
const WAITING_MAX: usize = 1 << 20;
/// Longest wait for the queue to drain when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// Delay before a write is retried, if standard error is non-blocking and full.
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// Error of starting the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is invalid.
    #[error("GATEHOUSE_LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The writer thread cannot be started.
    #[error("the log cannot be written: {0}")]
    Thread(#[from] io::Error),
    /// A global subscriber was installed before.
    #[error("the log cannot be started: {0}")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log as configured, and sends panics to it. Dropping the guard flushes the queue.
///
/// # Errors
///
/// [`LogError`] if the filter is invalid or the writer thread cannot be started.
pub fn start(config: &Config) -> Result<LogGuard, LogError> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let filter = EnvFilter::try_new(&config.log)?;
    let queue = LineQueue::default();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        // Otherwise the subscriber would report a line that cannot be formatted with `eprintln!`,
        // which panics if that fails, too.
        .log_internal_errors(false)
        .with_target(false);
    match config.log_format {
        LogFormat::Text => {
            log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish().try_init()?;
        }
        LogFormat::Json => log.json().flatten_event(true).finish().try_init()?,
    }
    let written = queue.clone();
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || written.write_all_to(&mut io::stderr()))?;
    // The default hook writes to standard error itself, and would block on it.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(message, place, "a thread panicked");
    }));
    Ok(LogGuard(queue))
}

/// Flushes the log when it is dropped.
#[derive(Debug)]
#[must_use = "the last lines of the log are written when it is dropped"]
pub struct LogGuard(LineQueue);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIMEOUT);
    }
}

/// Queue of lines for the writer thread. A handle: clones share the queue.
#[derive(Clone, Debug, Default)]
struct LineQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    is_writing: bool,
    /// Lines dropped since the last line that was written.
    dropped: u64,
}

impl LineQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// Adds a line, or drops it if the queue is full.
    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len().saturating_add(line.len()) > WAITING_MAX {
            state.dropped += 1;
        } else {
            state.waiting.extend_from_slice(line);
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Writes queued lines for as long as the process runs.
    fn write_all_to(&self, out: &mut impl Write) -> ! {
        let mut is_torn = false;
        loop {
            let dropped = self.write_next(out, &mut is_torn);
            if dropped > 0 {
                tracing::warn!(
                    lines = dropped,
                    "log lines were dropped: standard error could not be written"
                );
            }
        }
    }

    /// Waits for lines and writes them. Lines that cannot be written are dropped and counted; the
    /// count is returned once a line has been written again. `is_torn` tells whether the last
    /// written line lacks its end.
    fn write_next(&self, out: &mut impl Write, is_torn: &mut bool) -> u64 {
        let lines = self.take();
        let was_torn = *is_torn;
        let is_begun = !was_torn || write_as_far_as_possible(out, b"\n") == 1;
        let written = if is_begun { write_as_far_as_possible(out, &lines) } else { 0 };
        let (done, rest) = lines.split_at(written);
        *is_torn = done.last().map_or(!is_begun, |last| *last != b'\n');
        let mut state = self.lock();
        state.is_writing = false;
        state.dropped += rest.iter().filter(|byte| **byte == b'\n').map(|_| 1).sum::<u64>();
        let dropped = if rest.is_empty() { std::mem::take(&mut state.dropped) } else { 0 };
        drop(state);
        self.0.changed.notify_all();
        dropped
    }

    /// Waits for lines, and takes all.
    fn take(&self) -> Vec<u8> {
        let mut state = self.lock();
        self.0.changed.wait_while(&mut state, |state| state.waiting.is_empty());
        state.is_writing = true;
        std::mem::take(&mut state.waiting)
    }

    /// Waits until everything is written, or the timeout.
    fn flush(&self, timeout: Duration) {
        let is_busy = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        // A timeout makes no difference: the process ends.
        let _ = self.0.changed.wait_while_for(&mut self.lock(), is_busy, timeout);
    }
}

impl<'a> MakeWriter<'a> for LineQueue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes as many of these bytes as possible, and returns their number.
fn write_as_far_as_possible(out: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process has made the terminal or pipe non-blocking: wait until it has room.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_AFTER),
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with this many bytes left.
    #[derive(Default)]
    struct Disk {
        content: Vec<u8>,
        left: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.left);
            self.content.extend_from_slice(&bytes[..taken]);
            self.left -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn write_next_on_full_disk_counts_dropped_lines_and_resumes_with_whole_ones() {
        let (queue, mut disk, mut is_torn) = (LineQueue::default(), Disk::default(), false);
        let mut write = |disk: &mut Disk, lines: &[&str]| {
            for line in lines {
                queue.push(line.as_bytes());
            }
            queue.write_next(disk, &mut is_torn)
        };
        disk.left = 12;
        assert_eq!(write(&mut disk, &["first\n", "second\n", "third\n"]), 0);
        assert_eq!(write(&mut disk, &["fourth\n"]), 0);
        disk.left = 100;
        assert_eq!(write(&mut disk, &["fifth\n"]), 3, "second, third and fourth");
        assert_eq!(write(&mut disk, &["sixth\n"]), 0);
        assert_eq!(String::from_utf8_lossy(&disk.content), "first\nsecond\nfifth\nsixth\n");
    }

    #[test]
    fn push_to_full_queue_drops_and_counts_lines() {
        let (queue, mut disk) =
            (LineQueue::default(), Disk { left: usize::MAX, ..Disk::default() });
        let line = [vec![b'x'; 1023], vec![b'\n']].concat();
        for _ in 0..WAITING_MAX / line.len() + 7 {
            queue.push(&line);
        }
        assert_eq!(queue.write_next(&mut disk, &mut false), 7);
        assert_eq!(disk.content.len(), WAITING_MAX);
    }

    #[test]
    fn flush_without_writer_times_out() {
        let queue = LineQueue::default();
        queue.flush(Duration::from_mins(1));
        queue.push(b"line\n");
        queue.flush(Duration::from_millis(1));
        assert_eq!(queue.lock().waiting, b"line\n");
    }
}
