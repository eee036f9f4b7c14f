//! Renders small pictures of a file, within limits. No I/O and no clock; it takes its time, so it
//! runs in a [`BlockingPool`](super::BlockingPool).

use image::{DynamicImage, codecs::jpeg::JpegEncoder, metadata::Orientation};

use super::{
    Header, Kind,
    color::ToSrgb,
    decode::Source,
    shrink::{Area, Shrink},
};

/// JPEG quality of what is rendered, of 100.
const QUALITY: u8 = 85;

/// Reason for rejecting a file as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a supported format.
    #[error("neither JPEG, PNG nor WebP")]
    UnknownKind,
    /// More pixels than the limit.
    #[error("more than 24 megapixels, or more than 16 384 pixels a side")]
    TooManyPixels,
    /// Decoding takes more memory than the budget of all pictures.
    #[error("decoding takes too much memory")]
    TooMuchMemory,
    /// Corrupt file.
    #[error("the image cannot be decoded")]
    Broken,
}

/// The shape of a picture that is rendered. Nothing is enlarged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The square in the middle, of at most this side.
    Square(u32),
    /// The whole picture, within this width and height.
    Within {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// JPEGs in sRGB without any metadata: not where a picture was taken, nor with which camera.
#[derive(Debug)]
pub struct Rendered<const N: usize> {
    /// The format of the file.
    pub kind: Kind,
    /// Width and height of the picture in pixels, the right side up.
    pub dimensions: (u32, u32),
    /// One for each shape.
    pub images: [Vec<u8>; N],
}

/// Decodes a picture once and renders it in some shapes. Of a moving picture it is the first one;
/// transparent parts are put on white, because JPEG has no transparency.
///
/// # Errors
///
/// [`Refusal`]: the header is checked before anything is decoded.
pub fn render<const N: usize>(bytes: &[u8], shapes: [Shape; N]) -> Result<Rendered<N>, Refusal> {
    let header = Header::read(bytes)?;
    let source = Source::open(bytes, &header)?;
    let orientation = source.orientation;
    let mut shrinks = shapes.map(|shape| shape.of(&header, orientation));
    let mut to_srgb = ToSrgb::new(source.profile.as_deref(), source.channels);
    source.for_each_row(&header, |row| {
        let row = to_srgb.row(row);
        for shrink in &mut shrinks {
            shrink.push(row);
        }
    })?;
    let mut images = [const { Vec::new() }; N];
    for (image, shrink) in images.iter_mut().zip(shrinks) {
        let mut pixels = DynamicImage::from(shrink.finish().ok_or(Refusal::Broken)?);
        pixels.apply_orientation(orientation);
        JpegEncoder::new_with_quality(image, QUALITY)
            .encode_image(&pixels)
            .map_err(|_| Refusal::Broken)?;
    }
    let Header { kind, width, height, .. } = header;
    let dimensions = if is_turned(orientation) { (height, width) } else { (width, height) };
    Ok(Rendered { kind, dimensions, images })
}

/// Returns whether the orientation swaps width and height.
const fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

impl Shape {
    /// The picture of this shape, as it is stored: it is turned when it is small.
    fn of(self, header: &Header, orientation: Orientation) -> Shrink {
        let Header { width, height, .. } = *header;
        match self {
            Self::Square(side) => {
                let whole = width.min(height);
                let (left, top) = ((width - whole) / 2, (height - whole) / 2);
                let side = side.min(whole);
                Shrink::new(Area { left, top, width: whole, height: whole }, side, side)
            }
            Self::Within { width: most, height: highest } => {
                let (most, highest) =
                    if is_turned(orientation) { (highest, most) } else { (most, highest) };
                let area = Area { left: 0, top: 0, width, height };
                let (to_width, to_height) = within(width, height, most, highest);
                Shrink::new(area, to_width, to_height)
            }
        }
    }
}

/// The largest width and height of the same proportions within bounds.
fn within(width: u32, height: u32, most: u32, highest: u32) -> (u32, u32) {
    let scale = |length: u32, by: u32, of: u32| {
        let scaled = u64::from(length) * u64::from(by) / u64::from(of.max(1));
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    let (to_width, to_height) =
        if width > most { (most, scale(height, most, width)) } else { (width, height) };
    if to_height > highest {
        (scale(width, highest, height), highest)
    } else {
        (to_width, to_height)
    }
}

#[cfg(test)]
mod tests;
