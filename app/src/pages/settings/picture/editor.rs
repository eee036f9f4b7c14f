//! A picture that is being cut: opened by the browser, drawn, and sent.

use bytes::Bytes;
use futures::channel::oneshot;
use http::Method;
use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, FileList, HtmlCanvasElement, ImageBitmap};

use super::crop::Crop;
use crate::{
    api::{
        error::{ApiError, Code},
        files::{UserChanged, remove_avatar},
    },
    browser_value::BrowserValue,
    components::{notices::Notices, trouble::Trouble},
    dom,
    i18n::words::Words,
    session::{
        browser,
        wire::{Call, read},
    },
};

/// Pixels of what is sent.
const SENT: u32 = 1024;

/// What went wrong.
#[derive(Clone)]
pub(super) enum Wrong {
    /// The browser cannot read the file as a picture.
    Unreadable,
    /// A call has failed.
    Failed(Trouble),
}

/// A picture that is being cut, or none yet.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    bitmap: BrowserValue<Option<ImageBitmap>>,
    /// Which square of the picture is shown; nothing while there is no picture.
    pub(super) crop: RwSignal<Option<Crop>>,
    /// What went wrong the last time.
    pub(super) wrong: RwSignal<Option<Wrong>>,
    /// Whether a call is running.
    pub(super) busy: RwSignal<bool>,
    notices: Notices,
}

impl Editor {
    pub(super) fn new() -> Self {
        Self {
            bitmap: BrowserValue::new(|| None),
            crop: RwSignal::new(None),
            wrong: RwSignal::new(None),
            busy: RwSignal::new(false),
            notices: Notices::of_page(),
        }
    }

    /// Whether there is a picture to cut.
    pub(super) fn is_open(self) -> bool {
        // Not each time it is moved.
        Memo::new(move |_| self.crop.with(Option::is_some)).get()
    }

    /// Shows another square of it.
    pub(super) fn change(self, change: impl FnOnce(Crop) -> Crop) {
        self.crop.update(|crop| *crop = crop.map(change));
    }

    /// Puts the picture away.
    pub(super) fn close(self) {
        self.crop.set(None);
        if let Some(bitmap) = self.bitmap.update(Option::take).flatten() {
            bitmap.close();
        }
        self.wrong.set(None);
    }

    /// Pictures that are pasted anywhere on the page.
    pub(super) fn accept_pasted(self) {
        Effect::new(move |_| {
            let listener = window_event_listener(ev::paste, move |event| {
                let pasted = event.clipboard_data();
                self.take(pasted.and_then(|pasted| pasted.files()).as_ref());
            });
            on_cleanup(move || listener.remove());
        });
    }

    /// Opens the first of some files.
    pub(super) fn take(self, list: Option<&FileList>) {
        let Some(file) = list.and_then(|list| list.item(0)) else { return };
        dom::spawn(async move {
            match open(&file).await {
                Some(bitmap) => {
                    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
                    self.bitmap.set(Some(bitmap));
                    self.wrong.try_set(None);
                    self.crop.try_set(Some(Crop::new(width, height)));
                }
                None => {
                    self.wrong.try_set(Some(Wrong::Unreadable));
                }
            }
        });
    }

    /// Draws what is in the square onto a canvas of this side.
    pub(super) fn draw(self, canvas: &HtmlCanvasElement, crop: Crop, side: u32) {
        let context = canvas.get_context("2d").ok().flatten();
        let Some(context) = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok()) else {
            return;
        };
        let (left, top, from) = crop.square();
        let side = f64::from(side);
        // What can be seen through is seen on white, as the server does it.
        context.set_fill_style_str("#fff");
        context.fill_rect(0.0, 0.0, side, side);
        let _ = self.bitmap.with(|bitmap| {
            if let Some(bitmap) = bitmap {
                let _ = context.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    bitmap, left, top, from, from, 0.0, 0.0, side, side,
                );
            }
        });
    }

    /// Sends what is in the square.
    pub(super) fn save(self) {
        let Some(crop) = self.crop.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        self.busy.set(true);
        let (_, _, from) = crop.square();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the picture's pixels")]
        let side = (from.ceil() as u32).clamp(1, SENT);
        let canvas =
            document().create_element("canvas").ok().and_then(|made| made.dyn_into::<HtmlCanvasElement>().ok());
        let drawn = canvas.inspect(|canvas| {
            canvas.set_width(side);
            canvas.set_height(side);
            self.draw(canvas, crop, side);
        });
        dom::spawn(async move {
            let outcome = match drawn {
                Some(canvas) => match jpeg(&canvas).await {
                    Some(bytes) => send(bytes).await,
                    None => Err(ApiError::local(Code::Unknown)),
                },
                None => Err(ApiError::local(Code::Unknown)),
            };
            self.done(outcome, |words| words.picture_changed);
        });
    }

    /// Takes the person's picture away.
    pub(super) fn remove(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = remove_avatar().await;
            self.done(outcome, |words| words.picture_removed);
        });
    }

    fn done(self, outcome: Result<UserChanged, ApiError>, told: fn(&'static Words) -> &'static str) {
        self.busy.try_set(false);
        match outcome {
            Ok(changed) => {
                browser::know(changed.user);
                self.notices.status(told);
                if self.crop.try_get_untracked().is_some() {
                    self.close();
                }
            }
            Err(error) => {
                self.wrong.try_set(Some(Wrong::Failed(Trouble::new(error))));
            }
        }
    }
}

/// A picture, unpacked by the browser, the right side up.
async fn open(file: &Blob) -> Option<ImageBitmap> {
    let opening = window().create_image_bitmap_with_blob(file).ok()?;
    JsFuture::from(opening).await.ok()?.dyn_into().ok()
}

/// What is on a canvas, as a JPEG.
async fn jpeg(canvas: &HtmlCanvasElement) -> Option<Bytes> {
    let (tell, told) = oneshot::channel();
    let made = Closure::once(move |blob: JsValue| {
        // Nobody waits any more where the page has gone.
        let _ = tell.send(blob.dyn_into::<Blob>().ok());
    });
    let quality = JsValue::from_f64(0.92);
    canvas.to_blob_with_type_and_encoder_options(made.as_ref().unchecked_ref(), "image/jpeg", &quality).ok()?;
    let blob = told.await.ok().flatten()?;
    let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(Bytes::from(js_sys::Uint8Array::new(&buffer).to_vec()))
}

async fn send(picture: Bytes) -> Result<UserChanged, ApiError> {
    let call = Call {
        method: Method::PUT,
        url: "/api/me/avatar".to_owned(),
        content_type: "image/jpeg".to_owned(),
        accept: "application/json".to_owned(),
        body: Some(picture),
    };
    read(&browser::send(call).await)
}
