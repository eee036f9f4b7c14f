//! A picture that is being cut: opened by the browser, drawn, and sent.

use bytes::Bytes;
use http::Method;
use leptos::{ev, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, FileList, HtmlCanvasElement, ImageBitmap};

use super::{canvas, crop::Crop};
use crate::{
    browser_value::BrowserValue,
    components::{notices::Notices, trouble::Trouble},
    dom,
    i18n::strings::Strings,
    pages::files,
    protocol::{
        error::{ApiError, Code},
        files::{UserChanged, remove_avatar},
    },
    session::{
        browser,
        wire::{Call, read},
    },
};

/// Pixels of what is sent.
const SENT: u32 = 1024;
const JPEG: &str = "image/jpeg";

/// What went wrong.
#[derive(Clone)]
pub(super) enum Wrong {
    /// The browser cannot read the file as a picture.
    Unreadable,
    /// The file has more bytes than the server takes.
    TooLarge,
    /// A call has failed.
    Failed(Trouble),
}

/// A picture that was opened.
struct Opened {
    bitmap: ImageBitmap,
    /// Its file.
    file: File,
}

/// A picture that is being cut, or none yet.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    opened: BrowserValue<Option<Opened>>,
    /// Whether the square can be chosen. Where the browser does not let pages read what they draw,
    /// the file is sent as it is, and the server crops the largest square in its middle.
    pub(super) can_crop: RwSignal<bool>,
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
            opened: BrowserValue::new(|| None),
            can_crop: RwSignal::new(true),
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
        if !self.can_crop.get_untracked() {
            return;
        }
        self.crop.update(|crop| *crop = crop.map(change));
    }

    /// Puts the picture away.
    pub(super) fn close(self) {
        self.crop.set(None);
        if let Some(opened) = self.opened.update(Option::take).flatten() {
            opened.bitmap.close();
        }
        self.wrong.set(None);
    }

    /// Pictures that are pasted anywhere on the page.
    pub(super) fn accept_pasted(self) {
        Effect::new(move |_| {
            let listener = window_event_listener(ev::paste, move |event| {
                self.take(dom::pasted_files(&event).as_ref());
            });
            on_cleanup(move || listener.remove());
        });
    }

    /// Opens the first of some files.
    pub(super) fn take(self, list: Option<&FileList>) {
        let Some(file) = list.and_then(|list| list.item(0)) else { return };
        dom::spawn(async move {
            match open(file).await {
                Ok((opened, can_crop)) => {
                    let (width, height) =
                        (f64::from(opened.bitmap.width()), f64::from(opened.bitmap.height()));
                    self.opened.set(Some(opened));
                    self.wrong.try_set(None);
                    self.can_crop.try_set(can_crop);
                    self.crop.try_set(Some(Crop::new(width, height)));
                }
                Err(wrong) => {
                    self.wrong.try_set(Some(wrong));
                }
            }
        });
    }

    /// Draws what is in the square onto a canvas of this side.
    pub(super) fn draw(self, canvas: &HtmlCanvasElement, crop: Crop, side: u32) {
        let Some(context) = canvas::context(canvas) else { return };
        let (left, top, from) = crop.square();
        let side = f64::from(side);
        // What can be seen through is seen on white, as the server does it.
        context.set_fill_style_str("#fff");
        context.fill_rect(0.0, 0.0, side, side);
        let _ = self.opened.with(|opened| {
            if let Some(Opened { bitmap, .. }) = opened {
                let _ = context
                    .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                        bitmap, left, top, from, from, 0.0, 0.0, side, side,
                    );
            }
        });
    }

    /// Sends what is in the square.
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
            self.done(outcome, |strings| strings.picture_changed);
        });
    }

    /// What is in the square, as a JPEG.
    async fn cropped(self, crop: Crop) -> Option<Bytes> {
        let (_, _, from) = crop.square();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the picture's pixels"
        )]
        let side = (from.ceil() as u32).clamp(1, SENT);
        let canvas = canvas::square(side)?;
        self.draw(&canvas, crop, side);
        bytes(&canvas::encode(&canvas).await?).await
    }

    /// Takes the person's picture away.
    pub(super) fn remove(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        dom::spawn(async move {
            let outcome = remove_avatar().await;
            self.done(outcome, |strings| strings.picture_removed);
        });
    }

    fn done(
        self,
        outcome: Result<UserChanged, ApiError>,
        told: fn(&'static Strings) -> &'static str,
    ) {
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

/// Opens a file, and says whether the browser lets us crop it.
async fn open(file: File) -> Result<(Opened, bool), Wrong> {
    let bitmap = canvas::decode(&file).await.ok_or(Wrong::Unreadable)?;
    let can_crop = canvas::is_readable().await;
    // What is cropped here is small, however large the file is.
    if !can_crop && file.size() > files::MAX {
        return Err(Wrong::TooLarge);
    }
    Ok((Opened { bitmap, file }, can_crop))
}

async fn bytes(blob: &Blob) -> Option<Bytes> {
    let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(Bytes::from(js_sys::Uint8Array::new(&buffer).to_vec()))
}

async fn send(picture: Bytes, media_type: String) -> Result<UserChanged, ApiError> {
    let call = Call {
        method: Method::PUT,
        url: "/api/me/avatar".to_owned(),
        content_type: media_type,
        accept: "application/json".to_owned(),
        body: Some(picture),
    };
    read(&browser::send(call).await)
}
