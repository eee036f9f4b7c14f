use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder as _, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::png::PngEncoder,
};

use super::*;

const SMALL: Shape = Shape::Within { width: 512, height: 512 };
const SRGB: &[u8] = include_bytes!("../../../tests/fixtures/srgb-same.jpg");
const P3: &[u8] = include_bytes!("../../../tests/fixtures/p3.jpg");
const ADOBE_RGB: &[u8] = include_bytes!("../../../tests/fixtures/adobe-rgb.jpg");

fn encode(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The left half red, the right half blue.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }
    })
    .into()
}

fn seen(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().to_rgb8()
}

fn one(bytes: &[u8], shape: Shape) -> RgbImage {
    let [image] = render(bytes, [shape]).unwrap().images;
    seen(&image)
}

fn refusal(bytes: &[u8]) -> Option<Refusal> {
    render(bytes, [SMALL]).err()
}

/// A JPEG with a segment behind its first marker.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// EXIF that says which side is up (TIFF 6.0, tag 0x0112).
fn orientation(value: u8) -> Vec<u8> {
    [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[value], b"\0\0\0\0\0\0"]
        .concat()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let crc = bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    (!crc).to_be_bytes()
}

/// A PNG with a chunk behind its header.
fn with_chunk(png: &[u8], name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let chunk = [&name, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&png[..33], &length, &chunk, &checksum(&chunk), &png[33..]].concat()
}

/// Bytes as a stream of deflate that compresses nothing (RFC 1950, RFC 1951 §3.2.4).
fn stored(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    for (index, block) in content.chunks(0xffff).enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        stream.push(u8::from((index + 1) * 0xffff >= content.len()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (a, b) = content.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

/// An extended WebP of one still picture with further chunks.
fn extended_webp(still: &[u8], flags: u8, side: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [name, &length[..], content, &[0][..content.len() % 2]].concat()
    };
    let canvas = &(side - 1).to_le_bytes()[..3];
    let header = chunk(b"VP8X", &[&[flags, 0, 0, 0], canvas, canvas].concat());
    let mut content = [&b"WEBP"[..], &header].concat();
    for (name, bytes) in chunks {
        content.extend(chunk(name, bytes));
    }
    content.extend(&still[12..]);
    chunk(b"RIFF", &content)
}

/// The ICC profile of a JPEG (ICC.1:2022 annex B.4), which fits into one segment.
fn profile(jpeg: &[u8]) -> &[u8] {
    let at = jpeg.windows(11).position(|bytes| bytes == b"ICC_PROFILE").unwrap();
    let length = usize::from(u16::from_be_bytes([jpeg[at - 2], jpeg[at - 1]]));
    &jpeg[at + 14..at - 2 + length]
}

/// The largest difference of a channel.
fn difference(one: &RgbImage, other: &RgbImage) -> u8 {
    assert_eq!(one.dimensions(), other.dimensions());
    one.iter().zip(other.iter()).map(|(one, other)| one.abs_diff(*other)).max().unwrap()
}

#[test]
fn render_recognises_each_format_by_its_bytes() {
    for (format, kind) in [
        (ImageFormat::Jpeg, Kind::Jpeg),
        (ImageFormat::Png, Kind::Png),
        (ImageFormat::WebP, Kind::Webp),
    ] {
        let rendered = render(&encode(&two_halves(40, 20), format), [SMALL]).unwrap();
        assert_eq!((rendered.kind, rendered.dimensions), (kind, (40, 20)));
        let pixels = seen(&rendered.images[0]);
        assert!(
            pixels.get_pixel(5, 10).0[0] > 200 && pixels.get_pixel(35, 10).0[2] > 200,
            "{kind:?}"
        );
        assert_eq!(Kind::of_media_type(kind.media_type()), Some(kind));
    }
    for other in [
        &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
        b"GIF89a",
        b"BM",
        b"<!DOCTYPE html>",
        b"",
        b"\x89PNG",
    ] {
        assert_eq!(refusal(other), Some(Refusal::UnknownKind));
    }
}

#[test]
fn render_decodes_every_kind_of_png_pixels() {
    let pixels = two_halves(30, 30);
    let expected = one(&encode(&pixels, ImageFormat::Png), SMALL);
    for other in
        [DynamicImage::from(pixels.to_rgba8()), pixels.to_rgb16().into(), pixels.to_rgba16().into()]
    {
        assert!(difference(&one(&encode(&other, ImageFormat::Png), SMALL), &expected) < 4);
    }
    let gray = one(&encode(&pixels.to_luma8().into(), ImageFormat::Png), SMALL);
    for other in [
        DynamicImage::from(pixels.to_luma_alpha8()),
        pixels.to_luma16().into(),
        pixels.to_luma_alpha16().into(),
    ] {
        assert!(difference(&one(&encode(&other, ImageFormat::Png), SMALL), &gray) < 4);
    }
    assert!(
        difference(&one(&encode(&pixels.to_luma8().into(), ImageFormat::Jpeg), SMALL), &gray) < 8
    );
}

#[test]
fn render_keeps_proportions_and_never_enlarges() {
    let png = encode(&two_halves(300, 100), ImageFormat::Png);
    for (shape, dimensions) in [
        (Shape::Square(96), (96, 96)),
        (Shape::Square(512), (100, 100)),
        (Shape::Within { width: 150, height: 512 }, (150, 50)),
        (SMALL, (300, 100)),
        (Shape::Within { width: 150, height: 10 }, (30, 10)),
    ] {
        assert_eq!(one(&png, shape).dimensions(), dimensions, "{shape:?}");
    }
    let middle = one(&png, Shape::Square(96));
    assert!(middle.get_pixel(5, 50).0[0] > 200 && middle.get_pixel(90, 50).0[2] > 200);
    let line = encode(&two_halves(16_384, 1), ImageFormat::Png);
    assert_eq!(one(&line, SMALL).dimensions(), (512, 1));
    let column = encode(&two_halves(1, 16_384), ImageFormat::Png);
    assert_eq!(one(&column, Shape::Within { width: 512, height: 2048 }).dimensions(), (1, 2048));
}

#[test]
fn render_turns_the_picture_and_leaves_metadata_behind() {
    let secret = "50.0755 N 14.4378 E";
    let jpeg = encode(&two_halves(64, 32), ImageFormat::Jpeg);
    let exif = [&orientation(6), secret.as_bytes()].concat();
    let still = encode(&two_halves(64, 32), ImageFormat::WebP);
    let webp = {
        let mut webp = extended_webp(&still, 0x08, 64, &[(b"EXIF", &exif)]);
        webp[27..30].copy_from_slice(&[31, 0, 0]);
        webp
    };
    for turned in [
        with_segment(&jpeg, 0xe1, &[b"Exif\0\0", &exif[..]].concat()),
        with_chunk(&encode(&two_halves(64, 32), ImageFormat::Png), *b"eXIf", &exif),
        webp,
    ] {
        let rendered =
            render(&turned, [Shape::Square(512), Shape::Within { width: 16, height: 512 }, SMALL])
                .unwrap();
        assert_eq!(rendered.dimensions, (32, 64), "{:?}: turned to the right", rendered.kind);
        for made in &rendered.images {
            assert!(
                !made.windows(4).any(|four| four == b"Exif" || four == &secret.as_bytes()[..4])
            );
        }
        assert_eq!(seen(&rendered.images[1]).dimensions(), (16, 32));
        let pixels = seen(&rendered.images[2]);
        assert!(
            pixels.get_pixel(16, 4).0[0] > 200 && pixels.get_pixel(16, 60).0[2] > 200,
            "the left side is up now"
        );
    }
}

#[test]
fn render_puts_transparent_parts_on_white() {
    let glass = RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let white = one(&encode(&glass.clone().into(), format), Shape::Square(96));
        assert!(white.pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
    }
}

/// A name, the file, and the colours of its two halves.
type Fixture = (&'static str, &'static [u8], [[u8; 3]; 2]);

/// The halves of the fixtures in sRGB: computed from the matrices and the curves of their profiles
/// (ICC.1:2022 annex F.3), and of the one without a profile as they are stored.
const HALVES: [Fixture; 3] = [
    ("sRGB", SRGB, [[226, 106, 90], [90, 190, 120]]),
    ("Display P3", P3, [[244, 97, 82], [18, 194, 113]]),
    ("Adobe RGB", ADOBE_RGB, [[255, 106, 89], [0, 191, 116]]),
];

#[track_caller]
fn assert_halves(name: &str, pixels: &RgbImage, expected: [[u8; 3]; 2]) {
    let (width, height) = pixels.dimensions();
    for (at, expected) in [width / 8, width - width / 8].into_iter().zip(expected) {
        let found = pixels.get_pixel(at, height / 2).0;
        let off = found.iter().zip(expected).map(|(one, other)| one.abs_diff(other)).max();
        assert!(off <= Some(6), "{name}: {found:?} instead of {expected:?}");
    }
}

#[test]
fn render_converts_colours_of_a_profile_to_srgb_in_every_format() {
    for (name, jpeg, expected) in HALVES {
        assert_halves(name, &one(jpeg, SMALL), expected);
        assert_halves(name, &one(jpeg, Shape::Square(96)), expected);
        if jpeg == SRGB {
            continue;
        }
        // The same pixels and the same profile in the other formats, with and without transparency.
        let pixels = image::load_from_memory(jpeg).unwrap();
        let iccp = [b"x\0\0", &stored(profile(jpeg))[..]].concat();
        let png = encode(&pixels, ImageFormat::Png);
        let transparent = encode(&pixels.to_rgba8().into(), ImageFormat::Png);
        let still = encode(&pixels, ImageFormat::WebP);
        for other in [
            with_chunk(&png, *b"iCCP", &iccp),
            with_chunk(&transparent, *b"iCCP", &iccp),
            extended_webp(&still, 0x20, pixels.width(), &[(b"ICCP", profile(jpeg))]),
        ] {
            assert_halves(name, &one(&other, SMALL), expected);
        }
        // Without it they are what is stored.
        assert_halves(name, &one(&png, SMALL), HALVES[0].2);
    }
}

#[test]
fn render_converts_shades_of_grey_with_either_kind_of_profile() {
    let ramp = DynamicImage::from(image::GrayImage::from_fn(64, 64, |x, _| {
        image::Luma([u8::try_from(x * 4).unwrap()])
    }));
    let png = encode(&ramp, ImageFormat::Png);
    let with =
        |profile: &[u8]| with_chunk(&png, *b"iCCP", &[b"x\0\0", &stored(profile)[..]].concat());
    // Gamma 1: the shade in the middle is much lighter in sRGB.
    let linear = moxcms::ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let lighter = one(&with(&linear), SMALL);
    let [red, green, blue] = lighter.get_pixel(32, 32).0;
    assert!(
        red > 175 && red < 200 && red.abs_diff(green) < 3 && red.abs_diff(blue) < 3,
        "{red} {green} {blue}"
    );
    // Grey is grey in the profile for colours, too; its curve is nearly that of sRGB.
    let [red, green, blue] = one(&with(profile(P3)), SMALL).get_pixel(32, 32).0;
    assert!(
        red.abs_diff(128) < 6 && red.abs_diff(green) < 3 && red.abs_diff(blue) < 3,
        "{red} {green} {blue}"
    );
    // A profile for shades of grey says nothing about colours.
    let colours = encode(&two_halves(64, 64), ImageFormat::Png);
    let with_gray = with_chunk(&colours, *b"iCCP", &[b"x\0\0", &stored(&linear)[..]].concat());
    assert_eq!(one(&with_gray, SMALL), one(&colours, SMALL));
}

#[test]
fn render_ignores_a_profile_that_is_broken_or_too_large() {
    let png = encode(&two_halves(64, 64), ImageFormat::Png);
    let expected = one(&png, SMALL);
    let with =
        |profile: &[u8]| with_chunk(&png, *b"iCCP", &[b"x\0\0", &stored(profile)[..]].concat());
    let p3 = profile(P3);
    let mut many_tags = p3.to_vec();
    many_tags[128..132].copy_from_slice(&65_u32.to_be_bytes());
    many_tags.resize(2_000, 0);
    let mut large = p3.to_vec();
    large.resize(1024 * 1024 + 1, 0);
    for broken in [&b""[..], b"no profile", &p3[..p3.len() / 2], &many_tags, &large, &[0xff; 4096]]
    {
        assert_eq!(one(&with(broken), SMALL), expected);
    }
    for at in 0..p3.len() {
        let mut changed = p3.to_vec();
        changed[at] ^= 0xff;
        assert_eq!(one(&with(&changed), SMALL).dimensions(), (64, 64), "at {at}");
    }
}

/// A PNG that says that it has these dimensions.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&[0], 1, 1, ExtendedColorType::L8).unwrap();
    // Behind the signature: length, `IHDR`, width, height, five bytes, checksum.
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = checksum(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum);
    bytes
}

/// A JPEG that says that it has these dimensions, in a frame of this marker.
fn jpeg_of(width: u16, height: u16, marker: u8) -> Vec<u8> {
    let mut bytes = encode(&two_halves(16, 16), ImageFormat::Jpeg);
    let at = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[at + 1] = marker;
    bytes[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    bytes[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn render_of_too_many_pixels_is_refused_as_too_large_in_every_format() {
    for (width, height) in [(30_000, 30_000), (6_000, 4_001), (16_385, 1), (1, u32::MAX >> 1)] {
        assert_eq!(
            refusal(&png_of(width, height)),
            Some(Refusal::TooManyPixels),
            "{width} x {height}"
        );
    }
    for (width, height, marker) in
        [(30_000, 30_000, 0xc0), (30_000, 30_000, 0xc2), (6_000, 4_001, 0xc0), (1, 16_385, 0xc2)]
    {
        assert_eq!(
            refusal(&jpeg_of(width, height, marker)),
            Some(Refusal::TooManyPixels),
            "{width} x {height}"
        );
        // Also where there is nothing behind the header.
        let mut cut = jpeg_of(width, height, marker);
        let at = cut.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
        cut.truncate(at + 12);
        assert_eq!(refusal(&cut), Some(Refusal::TooManyPixels), "{width} x {height}, cut off");
    }
    let still = encode(&two_halves(16, 16), ImageFormat::WebP);
    for flags in [0, 0x02, 0x10] {
        assert_eq!(
            refusal(&extended_webp(&still, flags, 30_000, &[])),
            Some(Refusal::TooManyPixels)
        );
    }
    let mut lossless = still;
    lossless[21..25].copy_from_slice(&(0x3ffe_u32 | 0x3ffe << 14).to_le_bytes());
    assert_eq!(refusal(&lossless), Some(Refusal::TooManyPixels));
    let lossy =
        [b"RIFF\x20\0\0\0WEBPVP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a", &[0xff, 0x3f, 0xff, 0x3f][..]]
            .concat();
    assert_eq!(refusal(&lossy), Some(Refusal::TooManyPixels));
    // Within the limit, and nothing behind it: the header alone is not believed.
    assert_eq!(refusal(&png_of(6_000, 4_000)), Some(Refusal::Broken));
}

#[test]
fn render_of_webp_whose_frame_is_larger_than_its_canvas_is_refused() {
    let frame = [b"\x10\0\0\x9d\x01\x2a", &[0xff, 0x3f, 0xff, 0x3f][..], &[0; 64]].concat();
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let still = [b"RIFF\0\0\0\0WEBPVP8 ", &length[..], &frame].concat();
    assert_eq!(refusal(&extended_webp(&still, 0, 16, &[])), Some(Refusal::Broken));
}

#[test]
fn header_tells_the_memory_that_decoding_takes() {
    let memory = |bytes: &[u8]| Header::read(bytes).unwrap().memory / 1_000_000;
    // Rows: a photograph of 24 megapixels takes hardly more than the buffers.
    assert_eq!(memory(&png_of(6_000, 4_000)), 20);
    let mut interlaced = png_of(6_000, 4_000);
    interlaced[28] = 1;
    assert_eq!(memory(&interlaced), 116);
    assert_eq!(memory(&jpeg_of(6_000, 4_000, 0xc0)), 80);
    // Coefficients in addition, of full colours and of colours that are halved in both directions.
    let mut progressive = jpeg_of(6_000, 4_000, 0xc2);
    assert_eq!(memory(&progressive), 224);
    let frame = progressive.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    progressive[frame + 11] = 0x22;
    assert_eq!(memory(&progressive), 152);
    let still = encode(&two_halves(4_000, 4), ImageFormat::WebP);
    assert_eq!(memory(&still), 8);
    assert_eq!(memory(&extended_webp(&still, 0x02, 4_000, &[])), 312);
}

#[test]
fn render_of_jpeg_with_a_second_frame_or_endless_scans_is_refused() {
    let jpeg = encode(&two_halves(16, 16), ImageFormat::Jpeg);
    let endless = [&jpeg[..], &[0xff, 0xda, 0, 2].repeat(101)].concat();
    assert_eq!(refusal(&endless), Some(Refusal::Broken));
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let frame = &jpeg[at..at + 2 + usize::from(jpeg[at + 3])];
    let twice = [&jpeg[..at], frame, &jpeg[at..]].concat();
    assert_eq!(refusal(&twice), Some(Refusal::Broken));
}

#[test]
fn render_reads_on_behind_metadata_of_many_segments() {
    let mut jpeg = encode(&two_halves(16, 16), ImageFormat::Jpeg);
    for _ in 0..40 {
        jpeg = with_segment(&jpeg, 0xe2, &vec![0xff; 60_000]);
    }
    assert!(Header::read(&jpeg).unwrap().memory > 2 * 40 * 60_000);
    assert_eq!(one(&jpeg, SMALL).dimensions(), (16, 16));
    // The first byte of a profile's segments is not the first of it: a length beyond the file is
    // none.
    let cut = with_segment(&jpeg, 0xe2, b"ICC_PROFILE\0\x01\x02");
    assert_eq!(one(&cut, SMALL).dimensions(), (16, 16));
}

#[test]
fn render_of_anything_broken_refuses_or_renders_and_never_panics() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = encode(&two_halves(24, 24), format);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x5a;
            for bytes in [&changed[..], &whole[..at]] {
                let _ = render(bytes, [Shape::Square(96), SMALL]);
            }
        }
    }
}
