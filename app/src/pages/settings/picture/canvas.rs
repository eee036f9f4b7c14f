//! Canvas: drawing, encoding, and detection of browsers that block reading it.

use futures::channel::oneshot;
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap};

/// Side of a tile of the test pattern, in pixels: a chroma block of JPEG.
const TILE: u32 = 16;
/// Colours of the test pattern, row by row. None is white, black or grey: blockers return those.
const TILE_COLORS: [[u8; 3]; 4] = [[200, 40, 60], [30, 140, 70], [40, 70, 190], [220, 180, 30]];
/// Pixels at the edge of a tile, where JPEG blends neighbouring colours.
const TILE_EDGE: u32 = 3;
/// Tolerance for a channel. JPEG costs 3 at most. Noise of a bit or two, which Brave and Safari add
/// against fingerprinting, is not visible.
const TOLERANCE: u8 = 24;

/// Creates a detached square canvas.
pub(super) fn square(side: u32) -> Option<HtmlCanvasElement> {
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(side);
    canvas.set_height(side);
    Some(canvas)
}

/// Returns the 2D context.
pub(super) fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok().flatten()?.dyn_into().ok()
}

/// Decodes a picture and applies its orientation.
pub(super) async fn decode(file: &Blob) -> Option<ImageBitmap> {
    let opening = window().create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(opening).await.ok()?.dyn_into().ok()
}

/// Encodes a canvas as JPEG.
pub(super) async fn encode(canvas: &HtmlCanvasElement) -> Option<Blob> {
    let (sender, receiver) = oneshot::channel();
    let done = Closure::once(move |blob: JsValue| {
        // The receiver is dropped when the page is left.
        let _ = sender.send(blob.dyn_into::<Blob>().ok());
    });
    let quality = JsValue::from_f64(0.92);
    canvas
        .to_blob_with_type_and_encoder_options(
            done.as_ref().unchecked_ref(),
            "image/jpeg",
            &quality,
        )
        .ok()?;
    receiver.await.ok().flatten()
}

/// Tests whether a canvas can be read back as drawn. Browsers that resist fingerprinting return and
/// encode noise instead (`privacy.resistFingerprinting` of Firefox, Tor Browser, extensions). A
/// known pattern takes the same steps as a picture: drawn, encoded, decoded and read.
pub(super) async fn is_readable() -> bool {
    async fn read_back() -> Option<Vec<u8>> {
        let side = 2 * TILE;
        let canvas = square(side)?;
        let pattern = context(&canvas)?;
        for (field, [red, green, blue]) in (0_u32..).zip(TILE_COLORS) {
            let [x, y] = [field % 2, field / 2].map(|at| f64::from(at * TILE));
            pattern.set_fill_style_str(&format!("rgb({red},{green},{blue})"));
            pattern.fill_rect(x, y, f64::from(TILE), f64::from(TILE));
        }
        let copy = context(&square(side)?)?;
        let bitmap = decode(&encode(&canvas).await?).await?;
        copy.draw_image_with_image_bitmap(&bitmap, 0.0, 0.0).ok()?;
        bitmap.close();
        let side = f64::from(side);
        Some(copy.get_image_data(0.0, 0.0, side, side).ok()?.data().0)
    }
    read_back().await.is_some_and(|pixels| is_pattern(&pixels))
}

/// Returns whether RGBA pixels match the test pattern.
fn is_pattern(pixels: &[u8]) -> bool {
    let side = 2 * TILE;
    let is_inside = |at: u32| (TILE_EDGE..TILE - TILE_EDGE).contains(&(at % TILE));
    let mut places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    pixels.len() == (side * side * 4) as usize
        && places.all(|(x, y)| {
            let pixel = (y * side + x) as usize * 4;
            let field = (y / TILE * 2 + x / TILE) as usize;
            let is_near = |(read, drawn): (&u8, u8)| read.abs_diff(drawn) <= TOLERANCE;
            !(is_inside(x) && is_inside(y))
                || pixels[pixel..pixel + 3].iter().zip(TILE_COLORS[field]).all(is_near)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> Vec<u8> {
        let side = 2 * TILE;
        let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        places
            .flat_map(|(x, y)| {
                let [red, green, blue] = TILE_COLORS[(y / TILE * 2 + x / TILE) as usize];
                [red, green, blue, 255]
            })
            .collect()
    }

    #[test]
    fn is_pattern_accepts_compression_and_slight_noise() {
        assert!(is_pattern(&pattern()));
        let slightly_off: Vec<u8> =
            pattern().iter().map(|channel| channel.saturating_add(TOLERANCE)).collect();
        assert!(is_pattern(&slightly_off));
        let mut mixed_edges = pattern();
        mixed_edges[..4].fill(0);
        assert!(is_pattern(&mixed_edges));
    }

    #[test]
    fn is_pattern_rejects_blank_noise_and_stripes() {
        let count = pattern().len();
        for blank in [0, 128, 255] {
            assert!(!is_pattern(&vec![blank; count]), "{blank}");
        }
        assert!(!is_pattern(&[]));
        assert!(!is_pattern(&pattern()[4..]));
        let mut mirrored = pattern();
        mirrored.reverse();
        assert!(!is_pattern(&mirrored));
        // A single row of noise is enough.
        let mut striped = pattern();
        let row = (2 * TILE * 4) as usize;
        striped[8 * row..9 * row].fill(255);
        assert!(!is_pattern(&striped));
    }
}
