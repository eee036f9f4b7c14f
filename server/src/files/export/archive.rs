//! ZIP writer on a blocking thread. The file has no name and is deleted with its last handle.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use app::backend::Failure;
use axum::body::Bytes;
use chrono::{DateTime, Datelike as _, Timelike as _};
use tokio::{sync::mpsc, task::JoinHandle};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::ExportError;
use crate::failure::internal;

/// Capacity of the queue of parts.
const QUEUE_CAPACITY: usize = 8;
/// Bytes of text that are buffered before they are sent to the thread.
const BUFFER: usize = 64 * 1024;

enum Part {
    Begin(String, i64),
    Content(Bytes),
    End,
}

/// An archive in progress. If dropped unfinished, its thread stops at the next part and the file is
/// deleted.
pub(super) struct Archive {
    parts: mpsc::Sender<Part>,
    writing: JoinHandle<Result<(File, u64), ExportError>>,
    buffer: Vec<u8>,
}

impl Archive {
    /// Creates an archive in a folder.
    pub(super) fn begin(folder: PathBuf) -> Self {
        let (parts, received) = mpsc::channel(QUEUE_CAPACITY);
        let writing = tokio::task::spawn_blocking(move || write(&folder, received));
        Self { parts, writing, buffer: Vec::new() }
    }

    /// Starts a file of the archive. `at` is its time in seconds of Unix time.
    pub(super) async fn entry(&mut self, path: &str, at: i64) -> Result<(), Failure> {
        self.flush().await?;
        self.send(Part::Begin(path.to_owned(), at)).await
    }

    /// Appends bytes to the current file.
    pub(super) async fn content(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.flush().await?;
        self.send(Part::Content(bytes)).await
    }

    /// Appends text to the current file, buffered.
    pub(super) async fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.buffer.extend(text);
        if self.buffer.len() < BUFFER { Ok(()) } else { self.flush().await }
    }

    /// Completes the archive and returns its file, positioned at the start, and its size.
    pub(super) async fn finish(mut self) -> Result<(File, u64), Failure> {
        self.flush().await?;
        self.send(Part::End).await?;
        self.writing.await.map_err(internal)?.map_err(internal)
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.buffer);
        self.send(Part::Content(text.into())).await
    }

    async fn send(&mut self, part: Part) -> Result<(), Failure> {
        if self.parts.send(part).await.is_ok() {
            return Ok(());
        }
        // The thread has stopped because of an error.
        match (&mut self.writing).await.map_err(internal)? {
            Ok(_) => Err(internal(ExportError::Cancelled)),
            Err(error) => Err(internal(error)),
        }
    }
}

/// Returns a time in UTC as ZIP stores it; the earliest that it can if it cannot.
fn zip_time(seconds: i64) -> zip::DateTime {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let part = |number: u32| u8::try_from(number).unwrap_or_default();
    u16::try_from(time.year())
        .ok()
        .and_then(|year| {
            zip::DateTime::from_date_and_time(
                year,
                part(time.month()),
                part(time.day()),
                part(time.hour()),
                part(time.minute()),
                part(time.second()),
            )
            .ok()
        })
        .unwrap_or_default()
}

fn write(folder: &PathBuf, mut parts: mpsc::Receiver<Part>) -> Result<(File, u64), ExportError> {
    // Pictures are compressed already.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(tempfile::tempfile_in(folder)?);
    loop {
        match parts.blocking_recv() {
            Some(Part::Begin(path, at)) => {
                archive.start_file(path, options.last_modified_time(zip_time(at)))?;
            }
            Some(Part::Content(bytes)) => archive.write_all(&bytes)?,
            Some(Part::End) => break,
            None => return Err(ExportError::Cancelled),
        }
    }
    let mut file = archive.finish()?;
    let size = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    Ok((file, size))
}
