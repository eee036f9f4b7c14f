//! The way to the browser's other tabs: a `BroadcastChannel`. Every browser that our other calls
//! work in has one; where it is forbidden, so is the storage that tabs would share.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

use super::{message::Message, ports::Channel};

const NAME: &str = "session";

/// The channel, where there is one.
pub struct TabChannel(Option<BroadcastChannel>);

impl TabChannel {
    /// Opens the channel. What is heard from now on is told as long as the page lives.
    #[must_use]
    pub fn open(mut heard: impl FnMut(Message) + 'static) -> Self {
        let channel = BroadcastChannel::new(NAME).ok();
        if let Some(channel) = &channel {
            let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(message) = event.data().as_string().as_deref().and_then(Message::decode)
                {
                    heard(message);
                }
            });
            channel.set_onmessage(Some(listener.into_js_value().unchecked_ref()));
        }
        Self(channel)
    }
}

impl Channel for TabChannel {
    fn tell(&self, message: &Message) {
        if let Some(channel) = &self.0 {
            // It fails for a page that is going away, whose news are in storage.
            let _ = channel.post_message(&JsValue::from_str(&message.encode()));
        }
    }
}
