//! Reads the header of a picture file: dimensions, and the memory that decoding takes. Decodes
//! nothing.

use super::{Kind, Refusal};

/// Maximum number of pixels.
pub(super) const PIXELS_MAX: u64 = 24_000_000;
/// Maximum side in pixels: the limit of WebP.
pub(super) const SIDE_MAX: u32 = 16_384;
/// Maximum number of scans of a progressive JPEG. Cameras and programs write about ten; each costs
/// as much time as the whole picture, but only some bytes.
const SCANS_MAX: usize = 100;
/// Bytes that the PNG decoder may take beside the pixels: rows, and ancillary chunks when they are
/// unpacked.
pub(super) const PNG_BUFFERS: u64 = 12 * 1024 * 1024;
/// Bytes for tables, for a colour profile and for what is rendered.
const WORKING: u64 = 8 * 1024 * 1024;

/// Properties of a picture that are known before it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format.
    pub kind: Kind,
    /// Pixels of a stored row.
    pub width: u32,
    /// Stored rows.
    pub height: u32,
    /// Bytes that decoding and rendering take at the most, with the file itself.
    pub memory: u64,
}

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyPixels`] because of the dimensions, whatever else is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let kind = Kind::of(bytes).ok_or(Refusal::UnknownKind)?;
        let layout = match kind {
            Kind::Jpeg => jpeg(bytes),
            Kind::Png => png(bytes),
            Kind::Webp => webp(bytes),
        };
        let Layout { width, height, decoded } = layout?;
        let memory = decoded.saturating_add(WORKING).saturating_add(bytes.len() as u64);
        Ok(Self { kind, width, height, memory })
    }
}

struct Layout {
    width: u32,
    height: u32,
    /// Bytes that the decoder holds at once.
    decoded: u64,
}

/// Returns the number of pixels, if within the limits.
fn pixels(width: u32, height: u32) -> Result<u64, Refusal> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX || width.max(height) > SIDE_MAX {
        return Err(Refusal::TooManyPixels);
    }
    if pixels == 0 { Err(Refusal::Broken) } else { Ok(pixels) }
}

/// Returns `N` bytes at an offset.
fn take<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Refusal> {
    let found = bytes.get(at..at.saturating_add(N)).and_then(|found| found.try_into().ok());
    found.ok_or(Refusal::Broken)
}

/// PNG (ISO/IEC 15948 §11.2.2): `IHDR` comes first. Rows are decoded one at a time; of an
/// interlaced picture all are needed.
fn png(bytes: &[u8]) -> Result<Layout, Refusal> {
    if take::<4>(bytes, 12)? != *b"IHDR" {
        return Err(Refusal::Broken);
    }
    let [width, height] = [16, 20].map(|at| take(bytes, at).map(u32::from_be_bytes));
    let (width, height) = (width?, height?);
    let pixels = pixels(width, height)?;
    let [is_interlaced] = take::<1>(bytes, 28)?;
    let decoded = PNG_BUFFERS + if is_interlaced == 0 { 0 } else { pixels * 4 };
    Ok(Layout { width, height, decoded })
}

/// JPEG (ISO/IEC 10918-1 §B.1): the frame header, and the header of the first scan.
fn jpeg(bytes: &[u8]) -> Result<Layout, Refusal> {
    let mut at = 2;
    let mut metadata = 0;
    let mut frame = None;
    loop {
        let [first, marker] = take(bytes, at)?;
        if first != 0xff || matches!(marker, 0 | 0xff) {
            at += 1;
            continue;
        }
        at += 2;
        // Markers that stand by themselves.
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue;
        }
        let length = usize::from(u16::from_be_bytes(take(bytes, at)?));
        match marker {
            0xc0..=0xc2 if frame.is_none() => frame = Some(Frame::read(bytes, at, marker == 0xc2)?),
            // Differential, lossless and arithmetic coding are decoded by no browser; a second
            // frame is none of them.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xd9 => {
                return Err(Refusal::Broken);
            }
            0xda => {
                let [components_in_scan] = take::<1>(bytes, at + 2)?;
                let frame = frame.ok_or(Refusal::Broken)?;
                if scans(bytes) > SCANS_MAX {
                    return Err(Refusal::Broken);
                }
                let decoded = frame.memory(components_in_scan)? + 2 * metadata as u64;
                return Ok(Layout { width: frame.width, height: frame.height, decoded });
            }
            0xe0..=0xef | 0xfe => metadata += length,
            _ => {}
        }
        at = at.saturating_add(length.max(2));
    }
}

/// A frame header of a JPEG (§B.2.2).
struct Frame {
    width: u32,
    height: u32,
    is_progressive: bool,
    /// Horizontal and vertical sampling factors of the components.
    sampling: Vec<(u32, u32)>,
}

impl Frame {
    fn read(bytes: &[u8], at: usize, is_progressive: bool) -> Result<Self, Refusal> {
        let [height, width] = [at + 3, at + 5].map(|at| take(bytes, at).map(u16::from_be_bytes));
        let (width, height) = (u32::from(width?), u32::from(height?));
        pixels(width, height)?;
        let [components] = take::<1>(bytes, at + 7)?;
        if !(1..=4).contains(&components) {
            return Err(Refusal::Broken);
        }
        let factors = |index: u8| take::<1>(bytes, at + 9 + 3 * usize::from(index));
        let sampling = (0..components).map(|index| {
            let [factors] = factors(index)?;
            let (horizontal, vertical) = (u32::from(factors >> 4), u32::from(factors & 15));
            if (1..=4).contains(&horizontal) && (1..=4).contains(&vertical) {
                Ok((horizontal, vertical))
            } else {
                Err(Refusal::Broken)
            }
        });
        let sampling = sampling.collect::<Result<_, _>>()?;
        Ok(Self { width, height, is_progressive, sampling })
    }

    /// The decoded picture, and the coefficients (two bytes each) where the first scan is not the
    /// whole of it.
    fn memory(&self, components_in_scan: u8) -> Result<u64, Refusal> {
        let components = self.sampling.len();
        let decoded = pixels(self.width, self.height)? * if components == 1 { 1 } else { 3 };
        if !self.is_progressive && usize::from(components_in_scan) == components {
            return Ok(decoded);
        }
        let most =
            |factor: fn(&(u32, u32)) -> u32| self.sampling.iter().map(factor).max().unwrap_or(1);
        let (horizontal, vertical) = (most(|factors| factors.0), most(|factors| factors.1));
        let blocks = u64::from(self.width.div_ceil(8 * horizontal))
            * u64::from(self.height.div_ceil(8 * vertical));
        let in_block: u64 = self
            .sampling
            .iter()
            .map(|(horizontal, vertical)| u64::from(horizontal * vertical))
            .sum();
        Ok(decoded + blocks * in_block * 64 * 2)
    }
}

/// Scans that a JPEG has at the most: `SOS` does not occur within the data of a scan (§B.1.1.5).
fn scans(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| *pair == [0xff, 0xda]).count()
}

/// WebP (RFC 9649 §2.3 to 2.7). What a pixel takes is what the decoder (image-webp) holds at once.
fn webp(bytes: &[u8]) -> Result<Layout, Refusal> {
    let is = |at: usize, name: &[u8; 4]| bytes.get(at..at.saturating_add(4)) == Some(name);
    if is(12, b"VP8 ") {
        let (width, height) = lossy_dimensions(bytes, 20)?;
        return Ok(Layout { width, height, decoded: pixels(width, height)? * 5 });
    }
    if is(12, b"VP8L") {
        let bits = u32::from_le_bytes(take(bytes, 21)?);
        let (width, height) = (1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff));
        let is_opaque = bits >> 28 & 1 == 0;
        return Ok(Layout {
            width,
            height,
            decoded: pixels(width, height)? * if is_opaque { 8 } else { 5 },
        });
    }
    if !is(12, b"VP8X") {
        return Err(Refusal::Broken);
    }
    let [flags] = take::<1>(bytes, 20)?;
    let side = |at| {
        take(bytes, at)
            .map(|[low, middle, high]: [u8; 3]| 1 + u32::from_le_bytes([low, middle, high, 0]))
    };
    let (width, height) = (side(24)?, side(27)?);
    let pixels = pixels(width, height)?;
    // The decoder unpacks a lossy frame by the frame's own dimensions, before it compares them with
    // these.
    for at in (12..bytes.len()).filter(|at| is(*at, b"VP8 ")) {
        if let Ok((frame_width, frame_height)) = lossy_dimensions(bytes, at + 8)
            && (frame_width > width || frame_height > height)
        {
            return Err(Refusal::Broken);
        }
    }
    let (is_moving, has_alpha) = (flags & 0x02 != 0, flags & 0x10 != 0);
    let bytes_per_pixel = match (is_moving, has_alpha, has_chunk(bytes, *b"VP8L")) {
        (true, ..) => 19,
        (false, false, true) => 8,
        (false, true, false) => 11,
        // Decoded in place, or without a plane of transparency.
        (false, true, true) | (false, false, false) => 5,
    };
    Ok(Layout { width, height, decoded: pixels * bytes_per_pixel })
}

/// Width and height of a lossy frame (RFC 6386 §9.1).
fn lossy_dimensions(bytes: &[u8], at: usize) -> Result<(u32, u32), Refusal> {
    if take::<3>(bytes, at + 3)? != [0x9d, 0x01, 0x2a] {
        return Err(Refusal::Broken);
    }
    let side = |at| take(bytes, at).map(|side| u32::from(u16::from_le_bytes(side) & 0x3fff));
    Ok((side(at + 6)?, side(at + 8)?))
}

/// Returns whether an extended WebP has a chunk of this name.
fn has_chunk(bytes: &[u8], name: [u8; 4]) -> bool {
    let mut at = 12_usize;
    while let (Ok(found), Ok(length)) = (take::<4>(bytes, at), take(bytes, at.saturating_add(4))) {
        if found == name {
            return true;
        }
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        at = at.saturating_add(8).saturating_add(length).saturating_add(length & 1);
    }
    false
}
