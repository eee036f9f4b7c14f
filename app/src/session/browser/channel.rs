//! Messages between tabs over a `BroadcastChannel`. All supported browsers have it; where it is
//! forbidden, so is the storage that tabs would share.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::session::{message::Message, ports::Channel};

const CHANNEL_NAME: &str = "session";

/// The channel, if the browser allows it.
pub struct TabChannel(Option<BroadcastChannel>);

impl TabChannel {
    /// Opens the channel. Messages are passed to `receive` for as long as the page lives.
    #[must_use]
    pub fn open(mut receive: impl FnMut(Message) + 'static) -> Self {
        let channel = BroadcastChannel::new(CHANNEL_NAME).ok();
        if let Some(channel) = &channel {
            let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(message) = event.data().as_string().as_deref().and_then(Message::decode)
                {
                    receive(message);
                }
            });
            channel.set_onmessage(Some(listener.into_js_value().unchecked_ref()));
        }
        Self(channel)
    }
}

impl Channel for TabChannel {
    fn broadcast(&self, message: &Message) {
        if let Some(channel) = &self.0 {
            // Fails while the page is unloading; other tabs then read the change from storage.
            let _ = channel.post_message(&JsValue::from_str(&message.encode()));
        }
    }
}
