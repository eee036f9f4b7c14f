//! Sample images.

use std::{io::Cursor, path::Path};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::app::App;

/// Encodes an image in which no two neighboring pixels are equal.
pub fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let channel = |number: u32| u8::try_from(number % 256).expect("a byte");
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        Rgb([channel(x * 7), channel(y * 5), channel(x * y)])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

/// A PNG of about this many bytes, made of incompressible noise.
pub fn noise(bytes: u32) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    let pixels = RgbImage::from_fn(1000, bytes / 3000, |_, _| Rgb([next(), next(), next()]));
    let mut png = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut png, ImageFormat::Png).expect("a picture");
    png.into_inner()
}

/// Decodes an image.
pub fn seen(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).expect("a picture")
}

/// Returns the paths of all stored objects.
pub fn objects(app: &App) -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(path.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    collect(&app.folder.path().join("data/objects"), &mut found);
    // With PostgreSQL, a node marks the folder that it shares with the others.
    found.retain(|path| !path.contains("/objects/markers/"));
    found.sort();
    found
}

/// Polyglots: files with an image signature that other parsers would execute.
pub fn polyglot() -> Vec<u8> {
    [&picture(ImageFormat::Jpeg, 40, 30)[..], b"<!DOCTYPE html><script>alert(1)</script>"].concat()
}

/// A JPEG with EXIF data: location and camera.
pub fn located() -> Vec<u8> {
    let jpeg = picture(ImageFormat::Jpeg, 640, 480);
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0 GPS 50.0755 N 14.4378 E, camera 4711";
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, exif, &jpeg[2..]].concat()
}

/// A PNG with declared dimensions of 30 000 by 30 000.
pub fn bomb() -> Vec<u8> {
    let mut png = picture(ImageFormat::Png, 1, 1);
    png[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let checksum = png[12..29].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    png[29..33].copy_from_slice(&(!checksum).to_be_bytes());
    png
}

/// A GIF with a hundred thousand frames.
pub fn endless_gif() -> Vec<u8> {
    let frame = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0].repeat(100_000);
    [&b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"[..], &frame, b";"].concat()
}

/// An animated WebP with this many frames (RFC 9649 §2.7).
pub fn moving(frames: usize) -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let padding = &[0][..content.len() % 2];
        [name, &u32::try_from(content.len()).expect("short").to_le_bytes()[..], content, padding]
            .concat()
    };
    let still = picture(ImageFormat::WebP, 1, 1);
    let frame = chunk(b"ANMF", &[&[0; 6][..], &[0; 6], &[100, 0, 0], &[0], &still[12..]].concat());
    let header = chunk(b"VP8X", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let content = [b"WEBP", &header[..], &chunk(b"ANIM", &[0; 6]), &frame.repeat(frames)].concat();
    chunk(b"RIFF", &content)
}
