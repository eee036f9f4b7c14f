//! Reading a picture within limits, and making smaller ones of it. No I/O, no clock; it takes as long as it takes, so it is
//! called in a [`Workshop`](super::Workshop).

use std::io::Cursor;

use image::{
    DynamicImage, GenericImageView as _, ImageDecoder as _, ImageError, ImageReader, Limits, Rgb, RgbImage,
    codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};

use super::Kind;

/// Pixels of the largest picture.
const PIXELS_MAX: u64 = 24_000_000;
/// Pixels of the longest side: what a WebP can have.
const SIDE_MAX: u32 = 16_384;
/// Bytes that a decoder may take: a picture of the largest size with 16 bits a channel, and what is beside it.
const MEMORY_MAX: u64 = PIXELS_MAX * 8 + 64 * 1024 * 1024;
/// Times that a progressive JPEG may go over its pixels. Cameras and programs do it about ten times; each costs as much as the
/// whole picture, and takes some bytes.
const SCANS_MAX: usize = 100;
/// JPEG quality of what we make, of 100.
const QUALITY: u8 = 85;

/// Why something is not taken as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none, or of a kind that is not taken.
    #[error("neither JPEG, PNG nor WebP")]
    UnknownKind,
    /// It would be larger than what we are ready to unpack.
    #[error("more than 24 megapixels")]
    TooManyPixels,
    /// It begins like a picture and cannot be read.
    #[error("it cannot be decoded")]
    Broken,
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        if matches!(error, ImageError::Limits(_)) { Self::TooManyPixels } else { Self::Broken }
    }
}

/// A picture as it is meant to be seen, and nothing of what else its file says: not where it was taken, nor with what.
pub struct Picture {
    /// What its file was.
    pub kind: Kind,
    pixels: DynamicImage,
}

impl Picture {
    /// Reads a file. Of one that moves it is the first picture.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: dimensions are looked at before anything is unpacked.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let kind = Kind::of(bytes).ok_or(Refusal::UnknownKind)?;
        if kind == Kind::Jpeg && scans(bytes) > SCANS_MAX {
            return Err(Refusal::Broken);
        }
        let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(SIDE_MAX);
        limits.max_image_height = Some(SIDE_MAX);
        limits.max_alloc = Some(MEMORY_MAX);
        reader.limits(limits);
        let mut decoder = reader.into_decoder()?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > PIXELS_MAX || width.max(height) > SIDE_MAX {
            return Err(Refusal::TooManyPixels);
        }
        // Where it cannot be read which side is up, it is the upper one.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut pixels = DynamicImage::from_decoder(decoder)?;
        pixels.apply_orientation(orientation);
        Ok(Self { kind, pixels })
    }

    /// Width and height in pixels, the right side up.
    #[must_use]
    pub fn dimensions(&self) -> (u32, u32) {
        self.pixels.dimensions()
    }

    /// The square in its middle as a JPEG of at most this side: a small picture is not made larger.
    ///
    /// # Errors
    ///
    /// [`Refusal::Broken`]
    pub fn square(&self, side: u32) -> Result<Vec<u8>, Refusal> {
        let (width, height) = self.dimensions();
        let whole = width.min(height);
        let middle = self.pixels.crop_imm((width - whole) / 2, (height - whole) / 2, whole, whole);
        let side = side.min(whole);
        jpeg(&shrink(&middle, side, side))
    }

    /// The whole of it as a JPEG of at most this width.
    ///
    /// # Errors
    ///
    /// [`Refusal::Broken`]
    pub fn narrow(&self, width: u32) -> Result<Vec<u8>, Refusal> {
        let (whole, height) = self.dimensions();
        let width = width.min(whole);
        let height = u64::from(height) * u64::from(width) / u64::from(whole.max(1));
        jpeg(&shrink(&self.pixels, width, u32::try_from(height).unwrap_or(SIDE_MAX).max(1)))
    }
}

/// First quickly to about twice the size, then well.
fn shrink(pixels: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let (from_width, from_height) = pixels.dimensions();
    let (near_width, near_height) = (width.saturating_mul(2), height.saturating_mul(2));
    let near = if from_width > near_width && from_height > near_height {
        pixels.thumbnail_exact(near_width, near_height)
    } else {
        pixels.clone()
    };
    near.resize_exact(width, height, FilterType::CatmullRom)
}

/// What can be seen through is put on white: JPEG knows no such thing.
fn jpeg(pixels: &DynamicImage) -> Result<Vec<u8>, Refusal> {
    let opaque = if pixels.color().has_alpha() {
        let seen = pixels.to_rgba8();
        let on_white = |channel: u8, alpha: u8| {
            let mixed = (u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
            let [red, green, blue, alpha] = seen.get_pixel(x, y).0;
            Rgb([on_white(red, alpha), on_white(green, alpha), on_white(blue, alpha)])
        })
    } else {
        pixels.to_rgb8()
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&opaque)?;
    Ok(bytes)
}

/// Scans that a JPEG has at the most: `SOS` stands within a scan's data never (ISO/IEC 10918-1 §B.1.1.5).
fn scans(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| *pair == [0xff, 0xda]).count()
}

#[cfg(test)]
mod tests;
