//! Resident memory: the peak of image decoding, and what stays after memory was freed. Both are per
//! process, so these tests have a process of their own.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test ends where something is not as it should be")]

use std::{fs, io::Write as _, sync::Arc, time::Duration};

use image::{ExtendedColorType, ImageEncoder as _, codecs::jpeg::JpegEncoder};
use server::pictures::{BlockingPool, Header, PoolError, Refusal, Rendered, Shape, render};

/// The default of `GATEHOUSE_PICTURES_MEMORY_BYTES`.
const BUDGET: u64 = 160_000_000;
/// Allowance for the process and the allocator, in bytes.
const SLACK: u64 = 30_000_000;

/// The tests measure the whole process, so they run one at a time.
static PROCESS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Returns the bytes of a line of `/proc/self/status`.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let kibibytes: u64 =
        line.trim_matches([':', '\t', ' ']).trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024
}

/// Encodes an all-black PNG.
fn black_png(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut header = encoder.write_header().expect("a header");
    let mut writer = header.stream_writer().expect("a writer");
    let row =
        vec![
            0;
            width as usize * color.samples() * if depth == png::BitDepth::Sixteen { 2 } else { 1 }
        ];
    for _ in 0..height {
        writer.write_all(&row).expect("a row");
    }
    writer.finish().expect("an end");
    drop(header);
    bytes
}

/// Three hundred megabytes of zeros, compressed (RFC 1950).
fn zeros() -> Vec<u8> {
    let large = black_png(30_000, 10_000, png::ColorType::Grayscale, png::BitDepth::Eight);
    let mut zeros = Vec::new();
    let mut at = 8;
    while at < large.len() {
        let length = u32::from_be_bytes(large[at..at + 4].try_into().expect("four bytes")) as usize;
        if &large[at + 4..at + 8] == b"IDAT" {
            zeros.extend(&large[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    assert!(zeros.len() < 5_000_000, "they fit into an upload: {}", zeros.len());
    zeros
}

/// A PNG of one pixel with a compressed metadata chunk.
fn bomb(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_chunk(png::chunk::ChunkType(name), content).expect("a chunk");
    writer.write_image_data(&[0]).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

async fn decode(pool: &BlockingPool, bytes: Vec<u8>) -> Result<Rendered<1>, Refusal> {
    let memory = Header::read(&bytes)?.memory;
    let bytes = Arc::new(bytes);
    loop {
        let bytes = Arc::clone(&bytes);
        match pool.run(memory, move || render(&bytes, [Shape::Square(96)])).await {
            Ok(done) => return done.expect("no panic"),
            Err(PoolError::TooMuchMemory) => return Err(Refusal::TooMuchMemory),
            // A busy machine.
            Err(PoolError::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decoding_of_large_pictures_and_bombs_at_once_stays_within_its_budget() {
    let _guard = PROCESS.lock().await;
    let pixels = vec![90; 6_000 * 4_000 * 3];
    let mut photograph = Vec::new();
    JpegEncoder::new_with_quality(&mut photograph, 60)
        .write_image(&pixels, 6_000, 4_000, ExtendedColorType::Rgb8)
        .expect("a photograph");
    drop(pixels);
    let deep = black_png(6_000, 4_000, png::ColorType::Rgba, png::BitDepth::Sixteen);
    let zeros = zeros();
    let bombs = [(*b"iCCP", &b"x\0\0"[..]), (*b"zTXt", b"x\0\0"), (*b"iTXt", b"x\0\x01\0\0\0")]
        .map(|(name, begin)| bomb(name, &[begin, &zeros].concat()));
    // Resets the peak (proc(5), clear_refs).
    fs::write("/proc/self/clear_refs", "5").expect("a new peak");
    let before = status("VmRSS");

    let pool = BlockingPool::new(4, BUDGET);
    let [iccp, ztxt, itxt] = bombs;
    let done = tokio::join!(
        decode(&pool, photograph.clone()),
        decode(&pool, photograph),
        decode(&pool, deep),
        decode(&pool, iccp),
        decode(&pool, ztxt),
        decode(&pool, itxt),
    );
    let peak = status("VmHWM").saturating_sub(before);
    for large in [done.0, done.1, done.2] {
        assert_eq!(large.expect("rendered").dimensions, (6_000, 4_000));
    }
    for bomb in [done.3, done.4, done.5] {
        assert_eq!(bomb.expect("rendered, without what is unpacked").dimensions, (1, 1));
    }
    assert!(peak < BUDGET + SLACK, "{peak} bytes");
    assert!(peak > 72_000_000, "it is measured: {peak} bytes");
}

#[tokio::test]
async fn memory_that_was_freed_returns_to_the_system_within_seconds() {
    let _guard = PROCESS.lock().await;
    let before = status("VmRSS");
    let blocks: Vec<Vec<u8>> = (0..400).map(|_| vec![1; 500_000]).collect();
    assert!(status("VmRSS") > before + 150_000_000, "it is measured");
    drop(blocks);
    // By the allocator's defaults half of it is still there after five seconds.
    let is_returned = async {
        while status("VmRSS").saturating_sub(before) >= 20_000_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let result = tokio::time::timeout(Duration::from_secs(5), is_returned).await;
    let kept = status("VmRSS").saturating_sub(before);
    assert!(result.is_ok(), "{kept} bytes");
}
