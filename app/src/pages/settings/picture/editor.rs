//! Avatar editor: opens a picture, draws the crop and uploads it.

use bytes::Bytes;
use http::Method;
use leptos::{ev, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, FileList, HtmlCanvasElement, ImageBitmap};

use super::{canvas, crop::Crop};
use crate::{
    browser_value::BrowserValue,
    components::{api_error_view::DisplayedError, toasts::Toasts},
    dom,
    i18n::strings::Strings,
    pages::files,
    protocol::{
        error::{ApiError, Code},
        files::UserChanged,
        paths,
    },
    server_fns::delete_avatar,
    session::{
        browser,
        transport::{ApiRequest, decode},
    },
};

/// Largest side of the uploaded picture, in pixels.
const MAX_SIDE: u32 = 1024;
const JPEG: &str = "image/jpeg";

/// Error of the editor.
#[derive(Clone)]
pub(super) enum PictureError {
    /// The browser cannot decode the picture.
    Unreadable,
    /// The file is no picture of a supported kind.
    UnknownKind,
    /// The file exceeds the server's limit.
    TooLarge,
    /// The request has failed.
    Failed(DisplayedError),
}

/// A decoded picture.
struct OpenedPicture {
    bitmap: ImageBitmap,
    /// The file as chosen.
    file: File,
}

/// State of the editor.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    opened: BrowserValue<Option<OpenedPicture>>,
    /// True if the crop can be chosen. In browsers that block reading a canvas, the file is
    /// uploaded as it is, and the server crops the largest centred square.
    pub(super) can_crop: RwSignal<bool>,
    /// The crop; `None` while no picture is open.
    pub(super) crop: RwSignal<Option<Crop>>,
    /// Error of the last attempt.
    pub(super) error: RwSignal<Option<PictureError>>,
    /// True while a request is pending.
    pub(super) busy: RwSignal<bool>,
    toasts: Toasts,
}

impl Editor {
    pub(super) fn new() -> Self {
        Self {
            opened: BrowserValue::new(|| None),
            can_crop: RwSignal::new(true),
            crop: RwSignal::new(None),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
            toasts: Toasts::of_page(),
        }
    }

    /// Returns whether a picture is open.
    pub(super) fn is_open(self) -> bool {
        // A memo, so that moving the crop does not notify.
        Memo::new(move |_| self.crop.with(Option::is_some)).get()
    }

    /// Changes the crop.
    pub(super) fn update_crop(self, change: impl FnOnce(Crop) -> Crop) {
        if !self.can_crop.get_untracked() {
            return;
        }
        self.crop.update(|crop| *crop = crop.map(change));
    }

    /// Closes the picture.
    pub(super) fn close(self) {
        self.crop.set(None);
        if let Some(opened) = self.opened.update(Option::take).flatten() {
            opened.bitmap.close();
        }
        self.error.set(None);
    }

    /// Opens pictures that are pasted anywhere on the page.
    pub(super) fn accept_pasted(self) {
        Effect::new(move |_| {
            let listener = window_event_listener(ev::paste, move |event| {
                self.open_first(dom::pasted_files(&event).as_ref());
            });
            on_cleanup(move || listener.remove());
        });
    }

    /// Opens the first of the files.
    pub(super) fn open_first(self, list: Option<&FileList>) {
        let Some(file) = list.and_then(|list| list.item(0)) else { return };
        dom::spawn(async move {
            match open(file).await {
                Ok((opened, can_crop)) => {
                    let (width, height) =
                        (f64::from(opened.bitmap.width()), f64::from(opened.bitmap.height()));
                    self.opened.set(Some(opened));
                    self.error.try_set(None);
                    self.can_crop.try_set(can_crop);
                    self.crop.try_set(Some(Crop::new(width, height)));
                }
                Err(error) => {
                    self.error.try_set(Some(error));
                }
            }
        });
    }

    /// Draws the crop onto a canvas.
    pub(super) fn draw(self, canvas: &HtmlCanvasElement, crop: Crop, side: u32) {
        let Some(context) = canvas::context(canvas) else { return };
        let (left, top, from) = crop.square();
        let side = f64::from(side);
        // Transparent pixels become white, as on the server.
        context.set_fill_style_str("#fff");
        context.fill_rect(0.0, 0.0, side, side);
        let _ = self.opened.with(|opened| {
            if let Some(OpenedPicture { bitmap, .. }) = opened {
                let _ = context
                    .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                        bitmap, left, top, from, from, 0.0, 0.0, side, side,
                    );
            }
        });
    }

    /// Uploads the crop.
    pub(super) fn save(self) {
        let Some(crop) = self.crop.get_untracked().filter(|_| !self.busy.get_untracked()) else {
            return;
        };
        self.busy.set(true);
        let file =
            self.opened.with(|opened| opened.as_ref().map(|opened| opened.file.clone())).flatten();
        let original = file.filter(|_| !self.can_crop.get_untracked());
        dom::spawn(async move {
            let (picture, media_type) = match original {
                Some(file) => (bytes(&file).await, file.type_()),
                None => (self.cropped(crop).await, JPEG.to_owned()),
            };
            let outcome = match picture {
                Some(picture) => send(picture, media_type).await,
                None => Err(ApiError::local(Code::Unknown)),
            };
            self.finish(outcome, |strings| strings.picture_changed);
        });
    }

    /// Renders the crop as JPEG.
    async fn cropped(self, crop: Crop) -> Option<Bytes> {
        let (_, _, from) = crop.square();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the picture's pixels"
        )]
        let side = (from.ceil() as u32).clamp(1, MAX_SIDE);
        let canvas = canvas::square(side)?;
        self.draw(&canvas, crop, side);
        bytes(&canvas::encode(&canvas).await?).await
    }

    /// Deletes the avatar.
    pub(super) fn remove(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = delete_avatar().await;
            self.finish(outcome, |strings| strings.picture_removed);
        });
    }

    fn finish(
        self,
        outcome: Result<UserChanged, ApiError>,
        told: fn(&'static Strings) -> &'static str,
    ) {
        self.busy.try_set(false);
        match outcome {
            Ok(changed) => {
                browser::update_user(changed.user);
                self.toasts.status(told);
                if self.crop.try_get_untracked().is_some() {
                    self.close();
                }
            }
            Err(error) => {
                self.error.try_set(Some(PictureError::Failed(DisplayedError::new(error))));
            }
        }
    }
}

/// Decodes a file, and returns whether the browser lets us crop it.
async fn open(file: File) -> Result<(OpenedPicture, bool), PictureError> {
    let Some(bitmap) = canvas::decode(&file).await else {
        let is_known = files::ACCEPT.split(',').any(|kind| kind == file.type_());
        return Err(if is_known { PictureError::Unreadable } else { PictureError::UnknownKind });
    };
    let can_crop = canvas::is_readable().await;
    // A cropped upload is small, however large the file is.
    if !can_crop && file.size() > files::MAX_FILE_BYTES {
        return Err(PictureError::TooLarge);
    }
    Ok((OpenedPicture { bitmap, file }, can_crop))
}

async fn bytes(blob: &Blob) -> Option<Bytes> {
    let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(Bytes::from(js_sys::Uint8Array::new(&buffer).to_vec()))
}

async fn send(picture: Bytes, media_type: String) -> Result<UserChanged, ApiError> {
    let (accept, method) = ("application/json", Method::PUT);
    let request = ApiRequest::new(paths::AVATAR, &media_type, accept, method, Some(picture));
    decode(&browser::send(request).await)
}
