//! Colour conversion: rows in the colour space of a profile to opaque sRGB on white.

use std::sync::Arc;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, TransformExecutor, TransformOptions,
};

use super::decode::Channels;

/// Maximum size of an ICC profile in bytes; larger ones are ignored. Those of displays and cameras
/// have some kilobytes.
pub(super) const PROFILE_MAX: usize = 1024 * 1024;
/// Maximum number of tags of a profile. Usual ones have twenty; a megabyte of tags that each
/// reference the same table takes minutes to parse.
const TAGS_MAX: u32 = 64;
/// Maximum number of entries of a profile's colour lookup table; usual ones have 33 steps per
/// channel.
const TABLE_MAX: usize = 200_000;

/// Converts rows to opaque sRGB.
pub(super) struct ToSrgb {
    channels: Channels,
    profile: Option<Profile>,
    /// A row in sRGB, with alpha where the picture has it.
    converted: Vec<u8>,
    /// A row with three or four channels, where it comes with fewer.
    expanded: Vec<u8>,
    opaque: Vec<u8>,
}

struct Profile {
    transform: Arc<dyn TransformExecutor<u8> + Send + Sync>,
    /// Set if the transform takes grey rows.
    is_gray: bool,
}

impl ToSrgb {
    /// Creates a conversion of rows with these channels. Without a usable profile, rows are taken
    /// as sRGB.
    pub(super) fn new(profile: Option<&[u8]>, channels: Channels) -> Self {
        let profile = profile.and_then(|profile| Profile::read(profile, channels));
        Self { channels, profile, converted: Vec::new(), expanded: Vec::new(), opaque: Vec::new() }
    }

    /// Converts a row to three channels of sRGB.
    pub(super) fn row<'r>(&'r mut self, row: &'r [u8]) -> &'r [u8] {
        let Self { channels, profile, converted, expanded, opaque } = self;
        let has_alpha = channels.has_alpha();
        let takes_gray = profile.as_ref().is_some_and(|profile| profile.is_gray);
        let is_gray = matches!(channels, Channels::Gray | Channels::GrayAlpha);
        let row = if is_gray && !takes_gray {
            expanded.clear();
            for pixel in row.chunks_exact(channels.count()) {
                expanded.extend([pixel[0]; 3]);
                expanded.extend(&pixel[1..]);
            }
            &*expanded
        } else {
            row
        };
        let row = match profile {
            Some(profile) => {
                let width = row.len()
                    / if takes_gray { channels.count() } else { 3 + usize::from(has_alpha) };
                converted.resize(width * (3 + usize::from(has_alpha)), 0);
                // The lengths match; if they did not, the row would stay as it is.
                if profile.transform.transform(row, converted).is_ok() || takes_gray {
                    &*converted
                } else {
                    row
                }
            }
            None => row,
        };
        if !has_alpha {
            return row;
        }
        opaque.clear();
        for pixel in row.chunks_exact(4) {
            let alpha = u32::from(pixel[3]);
            opaque.extend(pixel[..3].iter().map(|channel| {
                let mixed = (u32::from(*channel) * alpha + 255 * (255 - alpha) + 127) / 255;
                u8::try_from(mixed).unwrap_or(u8::MAX)
            }));
        }
        opaque
    }
}

impl Profile {
    fn read(profile: &[u8], channels: Channels) -> Option<Self> {
        // The number of tags stands behind the header (ICC.1:2022 §7.3).
        let tags = u32::from_be_bytes(profile.get(128..132)?.try_into().ok()?);
        if tags > TAGS_MAX {
            return None;
        }
        let options =
            ParsingOptions { max_allowed_clut_size: TABLE_MAX, ..ParsingOptions::default() };
        let profile = ColorProfile::new_from_slice_with_options(profile, options).ok()?;
        let is_gray = profile.color_space == DataColorSpace::Gray;
        let (from, to) = match (profile.color_space, channels) {
            (DataColorSpace::Gray, Channels::Gray) => (Layout::Gray, Layout::Rgb),
            (DataColorSpace::Gray, Channels::GrayAlpha) => (Layout::GrayAlpha, Layout::Rgba),
            (DataColorSpace::Rgb, _) if channels.has_alpha() => (Layout::Rgba, Layout::Rgba),
            (DataColorSpace::Rgb, _) => (Layout::Rgb, Layout::Rgb),
            // For example of a CMYK picture, which the decoder has converted to RGB.
            _ => return None,
        };
        let srgb = ColorProfile::new_srgb();
        let transform =
            profile.create_transform_8bit(from, &srgb, to, TransformOptions::default()).ok()?;
        Some(Self { transform, is_gray })
    }
}
