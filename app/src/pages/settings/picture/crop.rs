//! Which square of a picture is shown. Plain arithmetic: the drawing of it is `picture.rs`.

/// How much larger than need be it may be shown.
const ZOOM_MAX: f64 = 4.0;

/// A square of a picture: always within it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crop {
    width: f64,
    height: f64,
    zoom: f64,
    /// The square's middle, in pixels of the picture.
    x: f64,
    y: f64,
}

impl Crop {
    /// The largest square, in the middle.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, zoom: 1.0, x: width / 2.0, y: height / 2.0 }
    }

    /// Left, top and side of the square, in pixels of the picture.
    pub(super) fn square(self) -> (f64, f64, f64) {
        let side = self.side();
        (self.x - side / 2.0, self.y - side / 2.0, side)
    }

    /// How large it is shown: from 1, where the square is as large as it can be, to 4.
    pub(super) fn zoom(self) -> f64 {
        self.zoom
    }

    /// Shows it this large.
    pub(super) fn zoomed(self, zoom: f64) -> Self {
        // What is no number is no wish.
        let zoom = if zoom.is_finite() { zoom.clamp(1.0, ZOOM_MAX) } else { self.zoom };
        Self { zoom, ..self }.within()
    }

    /// Moves the picture beneath the square by parts of the square's side.
    pub(super) fn dragged(self, right: f64, down: f64) -> Self {
        let side = self.side();
        Self { x: self.x - right * side, y: self.y - down * side, ..self }.within()
    }

    fn side(self) -> f64 {
        self.width.min(self.height) / self.zoom
    }

    fn within(self) -> Self {
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
    fn it_begins_in_the_middle() {
        assert_eq!(Crop::new(400.0, 300.0).square(), (50.0, 0.0, 300.0));
        assert_eq!(Crop::new(300.0, 400.0).zoomed(2.0).square(), (75.0, 125.0, 150.0));
    }

    #[test]
    fn it_is_moved_with_the_picture() {
        let moved = Crop::new(400.0, 300.0).dragged(0.1, 5.0);
        assert_eq!(moved.square(), (20.0, 0.0, 300.0));
        assert_eq!(moved.dragged(9.0, 0.0).square(), (0.0, 0.0, 300.0));
        assert_eq!(moved.dragged(-9.0, 0.0).square(), (100.0, 0.0, 300.0));
    }

    proptest! {
        #[test]
        fn it_never_leaves_the_picture(
            (width, height) in (1.0..9000.0_f64, 1.0..9000.0_f64),
            steps in prop::collection::vec((-3.0..3.0_f64, -3.0..3.0_f64, prop::num::f64::ANY), 0..20),
        ) {
            let crop = steps.into_iter().fold(Crop::new(width, height), |crop, (right, down, zoom)| {
                crop.zoomed(zoom).dragged(right, down)
            });
            let (left, top, side) = crop.square();
            prop_assert!(side > 0.0 && left >= -1e-6 && top >= -1e-6, "{crop:?}");
            prop_assert!(left + side <= width + 1e-6 && top + side <= height + 1e-6, "{crop:?}");
        }
    }
}
