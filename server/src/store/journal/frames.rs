//! Compares the frames of a write-ahead log (<https://www.sqlite.org/fileformat2.html#walformat>)
//! with the database.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader},
    os::unix::fs::FileExt as _,
    path::Path,
};

/// The magic number, whose lowest bit tells the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;
/// The only version of the format.
const VERSION: u32 = 3_007_000;
const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Returns whether applying the log would change nothing: each page that a committed transaction in
/// it has written is in the database already. A completed checkpoint leaves this state. If the log
/// has no committed transaction, or cannot be parsed, the answer is `false`.
///
/// # Errors
///
/// One of the files cannot be read.
pub(super) fn are_checkpointed(database: &Path, journal: &Path) -> io::Result<bool> {
    let Some(committed) = Committed::read(journal)? else { return Ok(false) };
    let (database, journal) = (File::open(database)?, File::open(journal)?);
    let size = u64::from(committed.pages) * committed.page_bytes as u64;
    if database.metadata()?.len() != size {
        return Ok(false);
    }
    let (mut there, mut here) = (vec![0; committed.page_bytes], vec![0; committed.page_bytes]);
    for (page, offset) in committed.offsets {
        // A page beyond the end was cut off by a later transaction.
        let Some(index) = page.checked_sub(1).filter(|_| page <= committed.pages) else { continue };
        database.read_exact_at(&mut there, u64::from(index) * committed.page_bytes as u64)?;
        journal.read_exact_at(&mut here, offset)?;
        if there != here {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The committed content of a log.
#[derive(Debug)]
struct Committed {
    page_bytes: usize,
    /// Number of pages of the database after the last transaction.
    pages: u32,
    /// Offset of the last content of each page number in the log.
    offsets: HashMap<u32, u64>,
}

impl Committed {
    /// Reads a log up to the first frame that SQLite would not apply either.
    fn read(journal: &Path) -> io::Result<Option<Self>> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(journal)?);
        let mut header = [0; HEADER_BYTES];
        if !fill(&mut file, &mut header)? {
            return Ok(None);
        }
        let magic = word(&header, 0);
        let page_bytes = word(&header, 8) as usize;
        let is_known = magic & !1 == MAGIC
            && word(&header, 4) == VERSION
            && page_bytes.is_power_of_two()
            && (512..=65_536).contains(&page_bytes);
        let mut checksum = Checksum { is_big_endian: magic & 1 == 1, sums: [0; 2] };
        checksum.add(&header[..24]);
        if !is_known || checksum.sums != [word(&header, 24), word(&header, 28)] {
            return Ok(None);
        }

        let mut committed = Self { page_bytes, pages: 0, offsets: HashMap::new() };
        let mut pending = Vec::new();
        let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
        let mut offset = HEADER_BYTES as u64;
        while fill(&mut file, &mut frame)? {
            checksum.add(&frame[..8]);
            checksum.add(&frame[FRAME_HEADER_BYTES..]);
            // Frames from before the log was last restarted have other salts.
            let is_valid = frame[8..16] == header[16..24]
                && checksum.sums == [word(&frame, 16), word(&frame, 20)];
            if !is_valid {
                break;
            }
            pending.push((word(&frame, 0), offset + FRAME_HEADER_BYTES as u64));
            offset += frame.len() as u64;
            let pages = word(&frame, 4);
            if pages > 0 {
                committed.pages = pages;
                committed.offsets.extend(pending.drain(..));
            }
        }
        Ok(Some(committed).filter(|committed| committed.pages > 0))
    }
}

/// The checksum of the format: a Fibonacci-like sum of 32-bit words.
struct Checksum {
    is_big_endian: bool,
    sums: [u32; 2],
}

impl Checksum {
    /// Adds bytes, whose number is a multiple of eight.
    fn add(&mut self, bytes: &[u8]) {
        let decode = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let [mut first, mut second] = self.sums;
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        for [left, right] in pairs {
            first = first.wrapping_add(decode(*left)).wrapping_add(second);
            second = second.wrapping_add(decode(*right)).wrapping_add(first);
        }
        self.sums = [first, second];
    }
}

/// A number of a header, all of which are big-endian.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_be_bytes(*chunk))
}

/// Reads until a buffer is full; `false` where the file ends before.
fn fill(file: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
    use tempfile::TempDir;

    use super::*;

    struct Fixture {
        folder: TempDir,
        connection: DatabaseConnection,
    }

    impl Fixture {
        /// A database with a log that holds two transactions.
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("db").display());
            let connection = Database::connect(url).await.unwrap();
            let fixture = Self { folder, connection };
            fixture.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").await;
            fixture.execute("CREATE TABLE numbers (number INTEGER, text TEXT)").await;
            fixture.insert(1).await;
            fixture
        }

        async fn execute(&self, sql: &str) {
            self.connection.execute_unprepared(sql).await.unwrap();
        }

        /// Writes some hundred pages.
        async fn insert(&self, number: u32) {
            let rows =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
            let text = "hex(randomblob(200))";
            self.execute(&format!("INSERT INTO numbers {rows} SELECT {number}, {text} FROM n"))
                .await;
        }

        fn paths(&self) -> (PathBuf, PathBuf) {
            (self.folder.path().join("db"), self.folder.path().join("db-wal"))
        }

        fn are_checkpointed(&self) -> bool {
            let (database, journal) = self.paths();
            are_checkpointed(&database, &journal).unwrap()
        }
    }

    #[tokio::test]
    async fn log_is_checkpointed_after_a_complete_checkpoint_until_the_next_change() {
        let fixture = Fixture::new().await;
        assert!(!fixture.are_checkpointed());
        fixture.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        assert!(fixture.are_checkpointed());
        // The log is restarted over older frames.
        fixture.execute("UPDATE numbers SET text = 'x' WHERE rowid = 1").await;
        assert!(!fixture.are_checkpointed());
        fixture.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        assert!(fixture.are_checkpointed());
        // Fewer pages than before.
        fixture.execute("DELETE FROM numbers").await;
        fixture.execute("VACUUM").await;
        assert!(!fixture.are_checkpointed());
        fixture.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        assert!(fixture.are_checkpointed());
    }

    #[tokio::test]
    async fn log_beside_a_changed_database_is_not_checkpointed() {
        let fixture = Fixture::new().await;
        let (database, journal) = fixture.paths();
        fixture.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        let former = fs::read(&database).unwrap();
        fixture.insert(2).await;
        fixture.execute("PRAGMA wal_checkpoint(PASSIVE)").await;
        let later = fs::read(&database).unwrap();
        assert!(fixture.are_checkpointed());
        // Pages are compared byte by byte, and so is the size.
        for (name, content) in [
            ("a backup", former),
            ("the last page differs", [&later[..later.len() - 1], b"x"].concat()),
            ("a page more", [&later[..], &[0; 4096]].concat()),
        ] {
            fs::write(&database, content).unwrap();
            assert!(!fixture.are_checkpointed(), "{name}");
        }
        fs::write(&database, &later).unwrap();
        assert!(fixture.are_checkpointed());
        // A damaged frame ends the log, as it does for SQLite. Nothing committed is left.
        let mut bytes = fs::read(&journal).unwrap();
        bytes[HEADER_BYTES + FRAME_HEADER_BYTES] ^= 1;
        fs::write(&journal, &bytes).unwrap();
        assert!(!fixture.are_checkpointed());
        fs::write(&journal, b"something else").unwrap();
        assert!(!fixture.are_checkpointed());
    }
}
