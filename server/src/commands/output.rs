//! Standard output of a command.

use std::io::{self, Write};

/// Writes to standard output. When its reader goes away, as that of `gatehouse user list | head`
/// does, further output is discarded without an error: a command that changes something still
/// completes, and exits with success.
#[derive(Debug)]
pub struct Output<W> {
    inner: W,
    is_closed: bool,
}

impl<W: Write> Output<W> {
    /// Wraps a writer.
    pub const fn new(inner: W) -> Self {
        Self { inner, is_closed: false }
    }

    /// Returns whether the reader has gone away. A command that only prints may stop then.
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn unless_closed<T>(
        &mut self,
        discarded: T,
        work: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.is_closed {
            return Ok(discarded);
        }
        match work(&mut self.inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(discarded)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), W::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and fails from then on.
    struct Limited {
        left: usize,
        kind: io::ErrorKind,
    }

    impl Write for Limited {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(self.kind.into());
            }
            let taken = bytes.len().min(self.left);
            self.left -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            if self.left == 0 { Err(self.kind.into()) } else { Ok(()) }
        }
    }

    #[test]
    fn write_after_the_reader_has_gone_succeeds_and_is_discarded() {
        let mut output = Output::new(Limited { left: 4, kind: io::ErrorKind::BrokenPipe });
        output.write_all(b"abc").unwrap();
        assert!(!output.is_closed());
        output.write_all(b"defg").unwrap();
        output.flush().unwrap();
        assert!(output.is_closed());
    }

    #[test]
    fn write_with_any_other_error_fails() {
        let mut output = Output::new(Limited { left: 4, kind: io::ErrorKind::StorageFull });
        output.write_all(b"abc").unwrap();
        assert_eq!(output.write_all(b"defg").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(!output.is_closed());
    }
}
