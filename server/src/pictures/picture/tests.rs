use image::{ExtendedColorType, ImageEncoder as _, Rgba, RgbaImage, codecs::png::PngEncoder};

use super::*;

fn encode(pixels: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The left half red, the right half blue.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }).into()
}

fn seen(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap().to_rgb8()
}

/// A JPEG with an EXIF segment behind its first marker.
fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let content = [b"Exif\0\0", exif].concat();
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &content, &jpeg[2..]].concat()
}

/// EXIF that says which side is up (TIFF 6.0, tag 0x0112).
fn orientation(value: u8) -> Vec<u8> {
    [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[value], b"\0\0\0\0\0\0"].concat()
}

#[test]
fn each_kind_is_read_and_told_by_its_bytes() {
    for (format, kind) in [
        (image::ImageFormat::Jpeg, Kind::Jpeg),
        (image::ImageFormat::Png, Kind::Png),
        (image::ImageFormat::WebP, Kind::Webp),
    ] {
        let picture = Picture::read(&encode(&two_halves(40, 20), format)).unwrap();
        assert_eq!((picture.kind, picture.dimensions()), (kind, (40, 20)));
        assert_eq!(Kind::of_media_type(kind.media_type()), Some(kind));
    }
    for other in
        [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"GIF89a", b"BM", b"<!DOCTYPE html>", b"", b"\x89PNG"]
    {
        assert_eq!(Picture::read(other).err(), Some(Refusal::UnknownKind));
    }
}

#[test]
fn what_we_make_is_square_or_narrow_and_never_larger() {
    let picture = Picture::read(&encode(&two_halves(300, 100), image::ImageFormat::Png)).unwrap();
    assert_eq!(seen(&picture.square(96).unwrap()).dimensions(), (96, 96));
    assert_eq!(seen(&picture.square(512).unwrap()).dimensions(), (100, 100));
    assert_eq!(seen(&picture.narrow(150).unwrap()).dimensions(), (150, 50));
    assert_eq!(seen(&picture.narrow(512).unwrap()).dimensions(), (300, 100));
    let middle = seen(&picture.square(96).unwrap());
    assert!(middle.get_pixel(5, 50).0[0] > 200 && middle.get_pixel(90, 50).0[2] > 200);
    let line = Picture::read(&encode(&two_halves(16_384, 1), image::ImageFormat::Png)).unwrap();
    assert_eq!(seen(&line.narrow(512).unwrap()).dimensions(), (512, 1));
}

#[test]
fn the_upper_side_is_up_and_nothing_else_of_the_file_is_left() {
    let secret = "50.0755 N 14.4378 E";
    let jpeg = encode(&two_halves(64, 32), image::ImageFormat::Jpeg);
    let turned = with_exif(&jpeg, &[&orientation(6), secret.as_bytes()].concat());
    let picture = Picture::read(&turned).unwrap();
    assert_eq!(picture.dimensions(), (32, 64), "turned to the right");
    for made in [picture.square(512).unwrap(), picture.narrow(16).unwrap()] {
        assert!(!made.windows(4).any(|four| four == b"Exif" || four == &secret.as_bytes()[..4]));
    }
    let pixels = seen(&picture.narrow(32).unwrap());
    assert!(pixels.get_pixel(16, 4).0[0] > 200 && pixels.get_pixel(16, 60).0[2] > 200, "the left side is up now");
}

#[test]
fn what_can_be_seen_through_is_put_on_white() {
    let glass = RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0]));
    let picture = Picture::read(&encode(&glass.into(), image::ImageFormat::Png)).unwrap();
    assert!(seen(&picture.square(96).unwrap()).pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
}

/// A PNG that says that it has these dimensions.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&[0], 1, 1, ExtendedColorType::L8).unwrap();
    // Behind the signature: length, `IHDR`, width, height, five bytes, checksum.
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = bytes[12..29].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    bytes[29..33].copy_from_slice(&(!checksum).to_be_bytes());
    bytes
}

#[test]
fn what_is_too_large_is_refused_before_it_is_unpacked() {
    for (width, height) in [(30_000, 30_000), (6_000, 4_001), (16_385, 1), (1, u32::MAX >> 1)] {
        assert_eq!(Picture::read(&bomb(width, height)).err(), Some(Refusal::TooManyPixels), "{width} x {height}");
    }
    // Within the limit, and nothing behind it: the header alone is not believed.
    assert_eq!(Picture::read(&bomb(6_000, 4_000)).err(), Some(Refusal::Broken));
}

#[test]
fn a_jpeg_that_goes_over_its_pixels_for_ever_is_refused() {
    let mut jpeg = encode(&two_halves(16, 16), image::ImageFormat::Jpeg);
    jpeg.extend([0xff, 0xda, 0, 2].repeat(SCANS_MAX + 1));
    assert_eq!(Picture::read(&jpeg).err(), Some(Refusal::Broken));
}

#[test]
fn whatever_is_broken_is_refused_or_read_and_never_ends_the_program() {
    for format in [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::WebP] {
        let whole = encode(&two_halves(24, 24), format);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x5a;
            for bytes in [&changed[..], &whole[..at]] {
                if let Ok(picture) = Picture::read(bytes) {
                    picture.square(96).unwrap();
                    picture.narrow(512).unwrap();
                }
            }
        }
    }
}
