//! Geometry of the square crop. Plain arithmetic; `editor.rs` draws it.

/// Largest zoom factor.
const ZOOM_MAX: f64 = 4.0;

/// A square section of a picture, always within its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crop {
    width: f64,
    height: f64,
    zoom: f64,
    /// Centre of the square, in pixels of the picture.
    x: f64,
    y: f64,
}

impl Crop {
    /// The largest square, centred.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, zoom: 1.0, x: width / 2.0, y: height / 2.0 }
    }

    /// Returns left, top and side of the square, in pixels of the picture.
    pub(super) fn square(self) -> (f64, f64, f64) {
        let side = self.side();
        (self.x - side / 2.0, self.y - side / 2.0, side)
    }

    /// Returns the zoom factor: from 1, the largest square, to [`ZOOM_MAX`].
    pub(super) fn zoom(self) -> f64 {
        self.zoom
    }

    /// Sets the zoom factor.
    pub(super) fn zoomed(self, zoom: f64) -> Self {
        // The slider's value may not be a number.
        let zoom = if zoom.is_finite() { zoom.clamp(1.0, ZOOM_MAX) } else { self.zoom };
        Self { zoom, ..self }.clamped()
    }

    /// Moves the picture under the square, in fractions of the square's side.
    pub(super) fn dragged(self, right: f64, down: f64) -> Self {
        let side = self.side();
        Self { x: self.x - right * side, y: self.y - down * side, ..self }.clamped()
    }

    fn side(self) -> f64 {
        self.width.min(self.height) / self.zoom
    }

    fn clamped(self) -> Self {
        let half = self.side() / 2.0;
        Self {
            x: self.x.clamp(half, self.width - half),
            y: self.y.clamp(half, self.height - half),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn new_returns_the_largest_centred_square() {
        assert_eq!(Crop::new(400.0, 300.0).square(), (50.0, 0.0, 300.0));
        assert_eq!(Crop::new(300.0, 400.0).zoomed(2.0).square(), (75.0, 125.0, 150.0));
    }

    #[test]
    fn dragged_moves_the_square_within_the_picture() {
        let moved = Crop::new(400.0, 300.0).dragged(0.1, 5.0);
        assert_eq!(moved.square(), (20.0, 0.0, 300.0));
        assert_eq!(moved.dragged(9.0, 0.0).square(), (0.0, 0.0, 300.0));
        assert_eq!(moved.dragged(-9.0, 0.0).square(), (100.0, 0.0, 300.0));
    }

    proptest! {
        #[test]
        fn any_sequence_of_steps_stays_within_the_picture(
            (width, height) in (1.0..9000.0_f64, 1.0..9000.0_f64),
            steps in prop::collection::vec(
                (-3.0..3.0_f64, -3.0..3.0_f64, prop::num::f64::ANY),
                0..20,
            ),
        ) {
            let start = Crop::new(width, height);
            let crop = steps.into_iter().fold(start, |crop, (right, down, zoom)| {
                crop.zoomed(zoom).dragged(right, down)
            });
            let (left, top, side) = crop.square();
            prop_assert!(side > 0.0 && left >= -1e-6 && top >= -1e-6, "{crop:?}");
            prop_assert!(left + side <= width + 1e-6 && top + side <= height + 1e-6, "{crop:?}");
        }
    }
}
