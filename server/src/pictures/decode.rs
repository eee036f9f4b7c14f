//! Decoders: rows of eight bits a channel, the colour profile and the orientation, of each format.

use std::io::Cursor;

use image::metadata::Orientation;
use image_webp::WebPDecoder;
use png::Transformations;
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{
    Header, Kind, Refusal,
    color::PROFILE_MAX,
    header::{PNG_BUFFERS, SIDE_MAX},
};

/// Bytes of rows and chunks in the PNG decoder, unpacked. A colour profile of [`PROFILE_MAX`] and
/// the longest row fit. The decoder's vectors grow by doubling: while one is copied, it takes three
/// times as much, which is [`PNG_BUFFERS`].
const PNG_LIMIT: u64 = PNG_BUFFERS / 3;
/// Bytes of the largest EXIF data that are read.
const EXIF_MAX: usize = 64 * 1024;

/// Channels of a row, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub(super) const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

/// A picture whose metadata has been read.
pub(super) struct Source<'a> {
    pub(super) channels: Channels,
    /// An ICC profile of at most [`PROFILE_MAX`] bytes.
    pub(super) profile: Option<Vec<u8>>,
    /// EXIF orientation; none if it cannot be read.
    pub(super) orientation: Orientation,
    decoder: Decoder<'a>,
}

enum Decoder<'a> {
    Jpeg(Box<JpegDecoder<ZCursor<&'a [u8]>>>),
    Png(Box<png::Reader<Cursor<&'a [u8]>>>),
    Webp(Box<WebPDecoder<Cursor<&'a [u8]>>>),
}

impl<'a> Source<'a> {
    /// Opens a file whose header was read before: the decoder has to come to the same dimensions.
    pub(super) fn open(bytes: &'a [u8], header: &Header) -> Result<Self, Refusal> {
        let (source, dimensions) = match header.kind {
            Kind::Jpeg => Self::jpeg(bytes)?,
            Kind::Png => Self::png(bytes)?,
            Kind::Webp => Self::webp(bytes)?,
        };
        if dimensions == (header.width, header.height) { Ok(source) } else { Err(Refusal::Broken) }
    }

    fn jpeg(bytes: &'a [u8]) -> Result<(Self, (u32, u32)), Refusal> {
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(SIDE_MAX as usize)
            .set_max_height(SIDE_MAX as usize);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|_| Refusal::Broken)?;
        let info = decoder.info().ok_or(Refusal::Broken)?;
        let (channels, color_space) = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => (Channels::Gray, ColorSpace::Luma),
            _ => (Channels::Rgb, ColorSpace::RGB),
        };
        decoder.set_options(options.jpeg_set_out_colorspace(color_space));
        let source = Self {
            channels,
            profile: decoder.icc_profile(),
            orientation: orientation(decoder.exif().map(Vec::as_slice)),
            decoder: Decoder::Jpeg(Box::new(decoder)),
        };
        Ok((source.bounded(), (u32::from(info.width), u32::from(info.height))))
    }

    fn png(bytes: &'a [u8]) -> Result<(Self, (u32, u32)), Refusal> {
        let limits = png::Limits { bytes: usize::try_from(PNG_LIMIT).unwrap_or(usize::MAX) };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_ignore_text_chunk(true);
        // Eight bits a channel, palettes and transparent colours resolved.
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let reader = decoder.read_info().map_err(|_| Refusal::Broken)?;
        let channels = match reader.output_color_type() {
            (png::ColorType::Grayscale, png::BitDepth::Eight) => Channels::Gray,
            (png::ColorType::GrayscaleAlpha, png::BitDepth::Eight) => Channels::GrayAlpha,
            (png::ColorType::Rgb, png::BitDepth::Eight) => Channels::Rgb,
            (png::ColorType::Rgba, png::BitDepth::Eight) => Channels::Rgba,
            _ => return Err(Refusal::Broken),
        };
        let info = reader.info();
        let dimensions = info.size();
        let source = Self {
            channels,
            profile: info.icc_profile.as_ref().map(|profile| profile.to_vec()),
            orientation: orientation(info.exif_metadata.as_deref()),
            decoder: Decoder::Png(Box::new(reader)),
        };
        Ok((source.bounded(), dimensions))
    }

    fn webp(bytes: &'a [u8]) -> Result<(Self, (u32, u32)), Refusal> {
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| Refusal::Broken)?;
        // Larger chunks are not read.
        decoder.set_memory_limit(PROFILE_MAX);
        let profile = decoder.icc_profile().ok().flatten();
        let exif = decoder.exif_metadata().ok().flatten();
        let dimensions = decoder.dimensions();
        let source = Self {
            channels: if decoder.has_alpha() { Channels::Rgba } else { Channels::Rgb },
            profile,
            orientation: orientation(exif.as_deref()),
            decoder: Decoder::Webp(Box::new(decoder)),
        };
        Ok((source.bounded(), dimensions))
    }

    /// Removes a profile that is too large.
    fn bounded(mut self) -> Self {
        self.profile = self.profile.filter(|profile| profile.len() <= PROFILE_MAX);
        self
    }

    /// Decodes the picture and hands out its rows from top to bottom.
    pub(super) fn for_each_row(
        self,
        header: &Header,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        let row = header.width as usize * self.channels.count();
        let whole = row * header.height as usize;
        match self.decoder {
            Decoder::Png(mut reader) if !reader.info().interlaced => {
                for _ in 0..header.height {
                    let decoded =
                        reader.next_row().map_err(|_| Refusal::Broken)?.ok_or(Refusal::Broken)?;
                    sink(decoded.data());
                }
            }
            Decoder::Png(mut reader) => {
                let mut pixels = vec![0; whole];
                reader.next_frame(&mut pixels).map_err(|_| Refusal::Broken)?;
                pixels.chunks_exact(row).for_each(sink);
            }
            Decoder::Jpeg(mut decoder) => {
                let mut pixels = vec![0; whole];
                decoder.decode_into(&mut pixels).map_err(|_| Refusal::Broken)?;
                pixels.chunks_exact(row).for_each(sink);
            }
            Decoder::Webp(mut decoder) => {
                let mut pixels = vec![0; whole];
                decoder.read_image(&mut pixels).map_err(|_| Refusal::Broken)?;
                pixels.chunks_exact(row).for_each(sink);
            }
        }
        Ok(())
    }
}

fn orientation(exif: Option<&[u8]>) -> Orientation {
    let exif = exif.map(|exif| exif.get(..EXIF_MAX).unwrap_or(exif));
    exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}
