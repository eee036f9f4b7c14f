//! Sending of messages: each is sent once, whatever the mail server and the servers do.

use std::{collections::HashSet, net::TcpListener, sync::Arc};

use ::app::i18n::{Lang, mail::Mail};
use server::{
    domain::message::Message,
    mail::{GIVE_UP_SECONDS, LEASE_SECONDS, MailService},
    store::{AuditFilter, Event},
};

use crate::{
    app::App,
    smtp::{Behaviour, Received, SmtpServer},
};

const FROM: &str = "Gatehouse <no-reply@accounts.example>";

async fn start(url: &str) -> App {
    App::with(&[("MAIL_URL", url), ("MAIL_FROM", FROM), ("PUBLIC_URL", "https://accounts.example")])
        .await
}

fn mail(app: &App) -> MailService {
    app.server.mail.clone().expect("mail is on")
}

async fn enqueue(app: &App, recipient: &str) {
    let env = &app.server.state.env;
    let message = Message::new(env, None, recipient.to_owned(), Lang::En, Mail::Test);
    app.server.store.enqueue_message(message).await.unwrap();
}

async fn deliver(app: &App) {
    mail(app).deliver_due().await.unwrap();
}

async fn waiting(app: &App) -> u64 {
    app.server.store.waiting_messages().await.unwrap()
}

/// Details of the entries about messages that were given up.
async fn failures(app: &App) -> Vec<String> {
    let filter = AuditFilter { event: Some(Event::MailFailed), ..AuditFilter::default() };
    let entries = app.server.store.audit_page(filter, 0, 100).await.unwrap();
    entries.into_iter().filter_map(|entry| entry.detail).collect()
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|message| message.header("Message-ID").unwrap()).collect()
}

#[tokio::test]
async fn deliver_sends_each_message_once_with_its_header() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    for number in 0..40 {
        enqueue(&app, &format!("user{number}@example.com")).await;
    }
    for _ in 0..2 {
        deliver(&app).await;
    }
    let received = smtp.received();
    assert_eq!(received.len(), 40);
    let recipients: HashSet<_> = received.iter().flat_map(|message| &message.recipients).collect();
    assert_eq!(recipients.len(), 40);
    assert_eq!(ids(&received).iter().collect::<HashSet<_>>().len(), 40);
    for message in &received {
        assert_eq!(message.header("From").as_deref(), Some(FROM));
        assert_eq!(message.header("To").as_deref(), message.recipients.first().map(|to| &**to));
        assert_eq!(message.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(message.header("Subject").as_deref(), Some("Gatehouse: Test message"));
    }
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn deliver_after_a_temporary_answer_tries_again_after_the_backoff() {
    for (command, answer) in [
        ("MAIL", "421 4.3.2 shutting down"),
        ("RCPT", "450 4.2.1 greylisted"),
        ("RCPT", "452 4.2.2 mailbox full"),
        ("DATA", "451 4.3.0 try again"),
        (".", "452 4.3.1 out of storage"),
        // About the login to the mail server, not about the message.
        ("MAIL", "530 5.7.0 authentication required"),
    ] {
        let smtp = SmtpServer::start();
        let app = start(&smtp.url()).await;
        enqueue(&app, "ada@example.com").await;
        smtp.set(Behaviour::Answer(command, answer));
        deliver(&app).await;
        assert_eq!((smtp.attempts(), waiting(&app).await), (1, 1), "{answer}");
        smtp.set(Behaviour::Accept);
        app.clock.advance(4);
        deliver(&app).await;
        assert_eq!(smtp.attempts(), 1, "not before the backoff is over");
        app.clock.advance(1);
        for _ in 0..2 {
            deliver(&app).await;
        }
        assert_eq!((smtp.received().len(), smtp.attempts()), (1, 2), "{answer}");
        assert_eq!((waiting(&app).await, failures(&app).await), (0, Vec::new()));
    }
}

#[tokio::test]
async fn deliver_after_a_permanent_answer_gives_up_and_audits_it() {
    for command in ["MAIL", "RCPT", "DATA", "."] {
        let smtp = SmtpServer::start();
        let app = start(&smtp.url()).await;
        enqueue(&app, "ada@example.com").await;
        smtp.set(Behaviour::Answer(command, "550 5.1.1 no such user"));
        deliver(&app).await;
        smtp.set(Behaviour::Accept);
        app.clock.advance(7200);
        deliver(&app).await;
        assert_eq!((smtp.attempts(), smtp.received().len()), (1, 0), "{command}");
        assert_eq!((waiting(&app).await, failures(&app).await), (0, vec!["test 550".to_owned()]));
    }
}

#[tokio::test]
async fn invariant_53_message_to_an_address_with_a_line_break_is_not_sent() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    for recipient in
        ["ada@example.com>\r\nRCPT TO:<eve@example.com", "ada@example.com\nBcc: x@y.zz"]
    {
        enqueue(&app, recipient).await;
    }
    deliver(&app).await;
    assert_eq!((smtp.attempts(), waiting(&app).await), (0, 0));
    assert_eq!(failures(&app).await, ["test invalid_address"; 2]);
}

#[tokio::test]
async fn deliver_for_a_day_without_success_gives_up_and_audits_it() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    smtp.set(Behaviour::Down);
    let (mut waited, mut attempts) = (0, 0);
    while waiting(&app).await == 1 {
        deliver(&app).await;
        attempts += 1;
        let wait = (5 << (attempts - 1)).min(3600);
        app.clock.advance(wait);
        waited += wait;
    }
    assert!((GIVE_UP_SECONDS..GIVE_UP_SECONDS + 2 * 3600).contains(&waited), "{waited}");
    assert_eq!(failures(&app).await, ["test expired"]);
    smtp.set(Behaviour::Accept);
    deliver(&app).await;
    assert_eq!(smtp.received(), []);
}

#[tokio::test]
async fn deliver_after_a_connection_that_broke_in_the_message_sends_it_once() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    smtp.set(Behaviour::DropInMessage);
    deliver(&app).await;
    assert_eq!((smtp.received().len(), waiting(&app).await), (0, 1));
    smtp.set(Behaviour::Accept);
    app.clock.advance(5);
    for _ in 0..2 {
        deliver(&app).await;
    }
    assert_eq!((smtp.received().len(), waiting(&app).await), (1, 0));
}

#[tokio::test]
async fn deliver_after_a_lost_answer_sends_a_second_copy_with_the_same_id() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    smtp.set(Behaviour::DropAfterMessage);
    deliver(&app).await;
    smtp.set(Behaviour::Accept);
    app.clock.advance(5);
    for _ in 0..3 {
        deliver(&app).await;
    }
    let ids = ids(&smtp.received());
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn deliver_after_an_outage_sends_each_message_once() {
    // A port on which nothing listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let app = start(&format!("smtp://{address}")).await;
    for number in 0..20 {
        enqueue(&app, &format!("user{number}@example.com")).await;
    }
    for wait in [5, 10, 20, 40] {
        deliver(&app).await;
        assert_eq!(waiting(&app).await, 20);
        app.clock.advance(wait);
    }
    let smtp = SmtpServer::on(TcpListener::bind(address).unwrap());
    deliver(&app).await;
    assert_eq!((smtp.received().len(), waiting(&app).await), (20, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliver_to_a_slow_mail_server_delays_no_request() {
    let smtp = Arc::new(SmtpServer::start());
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    smtp.set(Behaviour::Stall);
    let mail = mail(&app);
    let delivering = tokio::spawn(async move { mail.deliver_due().await });
    let stalled = Arc::clone(&smtp);
    tokio::task::spawn_blocking(move || stalled.await_messages(1)).await.unwrap();
    // The mail server has the message and does not answer.
    app.register("bob").await;
    app.login("bob").await;
    enqueue(&app, "bob@example.com").await;
    assert!(!delivering.is_finished());
    smtp.set(Behaviour::Accept);
    delivering.await.unwrap().unwrap();
    assert_eq!((smtp.received().len(), waiting(&app).await), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliver_by_several_servers_sends_each_message_once() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    let (second, _) = app.second().await;
    for number in 0..60 {
        enqueue(&app, &format!("user{number}@example.com")).await;
    }
    let (one, other) = (mail(&app), second.mail.clone().unwrap());
    let (one, other) = tokio::join!(
        tokio::spawn(async move { one.deliver_due().await }),
        tokio::spawn(async move { other.deliver_due().await }),
    );
    one.unwrap().unwrap();
    other.unwrap().unwrap();
    let ids = ids(&smtp.received());
    assert_eq!((ids.len(), ids.iter().collect::<HashSet<_>>().len()), (60, 60));
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn deliver_after_a_crash_before_sending_sends_once() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    // Before the claim.
    let app = app.restart().await;
    let now = app.server.state.env.now();
    let claimed = app.server.store.claim_messages(now, now + LEASE_SECONDS, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    // After the claim.
    let app = app.restart().await;
    deliver(&app).await;
    assert_eq!(smtp.attempts(), 0, "the message is still claimed");
    app.clock.advance(LEASE_SECONDS);
    for _ in 0..2 {
        deliver(&app).await;
    }
    assert_eq!((smtp.received().len(), waiting(&app).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliver_after_a_crash_between_sending_and_deletion_sends_once_more() {
    let smtp = Arc::new(SmtpServer::start());
    let app = start(&smtp.url()).await;
    enqueue(&app, "ada@example.com").await;
    smtp.set(Behaviour::Stall);
    let service = mail(&app);
    let delivering = tokio::spawn(async move { service.deliver_due().await });
    let stalled = Arc::clone(&smtp);
    tokio::task::spawn_blocking(move || stalled.await_messages(1)).await.unwrap();
    delivering.abort();
    let _ = delivering.await;
    let app = app.restart().await;
    smtp.set(Behaviour::Accept);
    app.clock.advance(LEASE_SECONDS);
    for _ in 0..3 {
        deliver(&app).await;
    }
    let ids = ids(&smtp.received());
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn invariant_53_mail_server_without_required_tls_gets_no_message() {
    let smtp = SmtpServer::start();
    let app = start(&format!("{}?tls=required", smtp.url())).await;
    enqueue(&app, "ada@example.com").await;
    deliver(&app).await;
    assert_eq!((smtp.attempts(), waiting(&app).await), (0, 1));
}

#[tokio::test]
async fn deliver_to_a_folder_writes_a_file_for_each_message() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&format!("folder:{}", folder.path().display())).await;
    for recipient in ["ada@例子.测试", "bob@example.com"] {
        enqueue(&app, recipient).await;
    }
    deliver(&app).await;
    let mut texts: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    texts.sort_by_key(|text| text.contains("bob"));
    assert_eq!(texts.len(), 2);
    assert!(texts[0].contains("\r\nTo: ada@xn--fsqu00a.xn--0zwm56d\r\n"), "{}", texts[0]);
    assert!(texts[1].contains("\r\nTo: bob@example.com\r\n"), "{}", texts[1]);
}

#[tokio::test]
async fn stop_waits_for_messages_in_progress_and_claims_no_more() {
    let smtp = SmtpServer::start();
    let app = start(&smtp.url()).await;
    let service = mail(&app);
    service.stop(std::time::Duration::from_secs(1)).await;
    enqueue(&app, "ada@example.com").await;
    deliver(&app).await;
    assert_eq!((smtp.attempts(), waiting(&app).await), (0, 1));
}
