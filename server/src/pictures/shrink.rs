//! Area-averaging downscaler that takes rows one at a time: every result pixel is the mean of the
//! area that it covers.

use image::RgbImage;

/// Bytes of a pixel in RGB.
const RGB: usize = 3;

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A downscaled picture in progress. It holds one row of sums beside its result, never the source.
pub(super) struct Shrink {
    area: Area,
    width: u32,
    height: u32,
    columns: Vec<Share>,
    /// Rows of the source so far, also those above the area.
    seen: u32,
    line: Vec<f32>,
    sums: Vec<f32>,
    pixels: Vec<u8>,
}

/// Weights of a source pixel: for one pixel of the result and, if it overlaps its border, for the
/// next one.
#[derive(Clone, Copy)]
struct Share {
    to: usize,
    own: f32,
    next: f32,
    /// Set if it is the last source pixel of its result pixel.
    completes: bool,
}

impl Share {
    /// The share of the pixel at a place, of `from` that become `to`.
    #[expect(clippy::cast_precision_loss, reason = "sides have at most five digits")]
    fn of(at: u32, from: u32, to: u32) -> Self {
        let (at, from, to) = (u64::from(at), u64::from(from), u64::from(to));
        let bin = at * to / from;
        let (begin, end, border) = (at * to, (at + 1) * to, (bin + 1) * from);
        let part = |length: u64| length as f32 / from as f32;
        let index = usize::try_from(bin).unwrap_or(usize::MAX);
        if end >= border {
            Self { to: index, own: part(border - begin), next: part(end - border), completes: true }
        } else {
            Self { to: index, own: part(to), next: 0.0, completes: false }
        }
    }
}

impl Shrink {
    /// A picture of an area with this width and height, which are not larger than the area's.
    pub(super) fn new(area: Area, width: u32, height: u32) -> Self {
        let (width, height) = (width.min(area.width), height.min(area.height));
        let samples = width as usize * RGB;
        Self {
            area,
            width,
            height,
            columns: (0..area.width).map(|at| Share::of(at, area.width, width)).collect(),
            seen: 0,
            line: vec![0.0; samples],
            sums: vec![0.0; samples],
            pixels: Vec::with_capacity(samples * height as usize),
        }
    }

    /// Takes the next row of the whole source, in RGB.
    pub(super) fn push(&mut self, row: &[u8]) {
        let at = self.seen;
        self.seen = self.seen.saturating_add(1);
        let Some(at) = at.checked_sub(self.area.top).filter(|at| *at < self.area.height) else {
            return;
        };
        let (left, width) = (self.area.left as usize, self.area.width as usize);
        let Some(row) = row.get(left * RGB..(left + width) * RGB) else { return };
        self.line.fill(0.0);
        for (pixel, share) in row.chunks_exact(RGB).zip(&self.columns) {
            let begin = share.to * RGB;
            for (index, channel) in pixel.iter().enumerate() {
                self.line[begin + index] += f32::from(*channel) * share.own;
                if let Some(next) = self.line.get_mut(begin + RGB + index) {
                    *next += f32::from(*channel) * share.next;
                }
            }
        }
        let share = Share::of(at, self.area.height, self.height);
        for (sum, channel) in self.sums.iter_mut().zip(&self.line) {
            *sum += channel * share.own;
        }
        if share.completes {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a mean of bytes, rounded"
            )]
            self.pixels.extend(self.sums.iter().map(|sum| (sum + 0.5).clamp(0.0, 255.0) as u8));
            for (sum, channel) in self.sums.iter_mut().zip(&self.line) {
                *sum = channel * share.next;
            }
        }
    }

    /// The smaller picture; `None` where rows are missing.
    pub(super) fn finish(self) -> Option<RgbImage> {
        RgbImage::from_raw(self.width, self.height, self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrink(area: Area, width: u32, height: u32, rows: &[Vec<u8>]) -> RgbImage {
        let mut shrink = Shrink::new(area, width, height);
        for row in rows {
            shrink.push(row);
        }
        shrink.finish().unwrap()
    }

    fn gray(shades: &[u8]) -> Vec<u8> {
        shades.iter().flat_map(|shade| [*shade; RGB]).collect()
    }

    #[test]
    fn shrink_to_equal_size_copies_pixels() {
        let rows = [gray(&[1, 2, 3]), gray(&[4, 5, 6])];
        let same = shrink(Area { left: 0, top: 0, width: 3, height: 2 }, 9, 9, &rows);
        assert_eq!(same.into_raw(), rows.concat());
    }

    #[test]
    fn shrink_with_fraction_weighs_pixels_by_area() {
        let rows = [gray(&[0, 90, 180]), gray(&[0, 90, 180]), gray(&[120, 210, 240])];
        let area = Area { left: 0, top: 0, width: 3, height: 3 };
        // Columns of 1.5: (0 + 45) / 1.5 and (45 + 180) / 1.5, and so on.
        assert_eq!(shrink(area, 2, 2, &rows).into_raw(), gray(&[30, 150, 110, 203]));
        assert_eq!(shrink(area, 1, 1, &rows).into_raw(), gray(&[123]));
    }

    #[test]
    fn shrink_of_area_ignores_pixels_outside() {
        let rows = [
            gray(&[9, 9, 9, 9]),
            gray(&[9, 10, 20, 9]),
            gray(&[9, 30, 40, 9]),
            gray(&[9, 9, 9, 9]),
        ];
        let area = Area { left: 1, top: 1, width: 2, height: 2 };
        assert_eq!(shrink(area, 1, 1, &rows).into_raw(), gray(&[25]));
    }

    #[test]
    fn finish_with_missing_rows_returns_none() {
        let mut shrink = Shrink::new(Area { left: 0, top: 0, width: 1, height: 2 }, 1, 2);
        shrink.push(&[1, 1, 1]);
        assert!(shrink.finish().is_none());
    }
}
