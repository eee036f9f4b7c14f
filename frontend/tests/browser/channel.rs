//! Tests of messages between tabs: two channels in one page behave like those of two tabs.

use std::{cell::RefCell, rc::Rc};

use app::session::{
    browser::channel::TabChannel, message::Message, ports::Channel as _, state::SessionEnd,
};
use futures::StreamExt as _;
use futures::channel::mpsc;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::BroadcastChannel;

use crate::page::{Replaced, persisted};

fn open() -> (TabChannel, mpsc::UnboundedReceiver<Message>) {
    let (sender, received) = mpsc::unbounded();
    // Channels live as long as the page: those of earlier tests receive messages that no test
    // reads.
    let channel = TabChannel::open(move |message| drop(sender.unbounded_send(message)));
    (channel, received)
}

#[wasm_bindgen_test]
async fn broadcast_reaches_all_other_channels_in_order() {
    let ((here, mut own), (there, mut first), (_elsewhere, mut second)) = (open(), open(), open());
    let ended = Message::SessionEnded { session_id: "s".to_owned(), end: SessionEnd::Expired };
    let sent = [
        Message::SessionStarted(persisted("s", 1)),
        Message::TokensRefreshed(persisted("s", 2)),
        ended,
    ];
    for message in &sent {
        here.broadcast(message);
    }
    for message in &sent {
        assert!(first.next().await.as_ref() == Some(message));
        assert!(second.next().await.as_ref() == Some(message));
    }
    // The reply is its first message, so it has not received its own.
    let reply = Message::TokensRequested { session_id: "t".to_owned() };
    there.broadcast(&reply);
    assert!(own.next().await == Some(reply));
}

#[wasm_bindgen_test]
async fn invalid_message_is_ignored() {
    let (_here, mut received) = open();
    let other = BroadcastChannel::new("session").unwrap();
    for invalid in [
        JsValue::NULL,
        42.into(),
        "".into(),
        "other\n\n\n".into(),
        "refreshed\na.b.c\nundefined\n{}".into(),
    ] {
        other.post_message(&invalid).unwrap();
    }
    let message = Message::TokensRequested { session_id: "s".to_owned() };
    other.post_message(&message.encode().into()).unwrap();
    assert!(received.next().await == Some(message));
}

#[wasm_bindgen_test]
fn forbidden_channel_sends_nothing_and_does_not_panic() {
    let received = Rc::new(RefCell::new(Vec::new()));
    let _none = Replaced::by_throwing(&leptos::prelude::window(), "BroadcastChannel");
    let sink = Rc::clone(&received);
    let channel = TabChannel::open(move |message| sink.borrow_mut().push(message));
    channel.broadcast(&Message::TokensRequested { session_id: "s".to_owned() });
    assert!(received.borrow().is_empty());
}
