use std::{convert::Infallible, net::IpAddr, num::NonZeroU64};

use axum::http::HeaderName;
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep},
};

use super::{admission::Limit, overload::REFUSAL, *};

const TIMEOUT: Duration = Duration::from_mins(1);

fn open(total: usize, per_address: usize, trusted: &[&str]) -> Arc<OpenConnections> {
    let limits =
        ConnectionLimits { idle_timeout: TIMEOUT, body_rate: NonZeroU64::MIN, total, per_address };
    let trusted_proxies = trusted.iter().map(|text| text.parse().unwrap()).collect();
    OpenConnections::new(limits, trusted_proxies, Purpose::Monitoring)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn admitting_beyond_the_limit_of_an_address_is_refused_until_one_is_closed() {
    let open = open(100, 2, &["10.0.0.0/8"]);
    for (first, second, third, other) in [
        ("192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"),
    ] {
        let held = [open.admit(address(first)).unwrap(), open.admit(address(second)).unwrap()];
        assert_eq!(open.admit(address(third)).err(), Some(Limit::PerAddress));
        assert!(open.admit(address(other)).is_ok());
        drop(held);
        assert!(open.admit(address(third)).is_ok());
    }
    let held: Vec<_> = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"]
        .into_iter()
        .flat_map(|peer| [peer; 3])
        .map(|peer| open.admit(address(peer)).unwrap())
        .collect();
    assert_eq!(held.len(), 12, "this machine and trusted proxies are not limited");
    drop(held);
    let counts = open.counts.lock();
    assert!(
        counts.total == 0 && counts.per_address.is_empty(),
        "nothing is kept of closed connections"
    );
}

#[test]
fn admitting_beyond_the_limit_of_all_is_refused_until_one_is_closed() {
    let open = open(2, 2, &[]);
    let held =
        [open.admit(address("127.0.0.1")).unwrap(), open.admit(address("192.0.2.1")).unwrap()];
    for peer in ["127.0.0.1", "192.0.2.9"] {
        assert_eq!(open.admit(address(peer)).err(), Some(Limit::Total));
    }
    drop(held);
    assert!(open.admit(address("192.0.2.9")).is_ok());
}

#[test]
fn refusal_is_a_complete_error_response() {
    let (head, body) = std::str::from_utf8(REFUSAL).unwrap().split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{}", body.len());
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], "unavailable");
    assert!(body["message"].as_str().unwrap().contains("连接过多，请稍后重试"));
}

#[test]
fn host_header_missing_repeated_or_malformed_is_invalid() {
    for (version, hosts, expected) in [
        (Version::HTTP_11, &["example.com"][..], true),
        (Version::HTTP_11, &["[::1]:3000"], true),
        (Version::HTTP_11, &[""], true),
        (Version::HTTP_11, &[], false),
        (Version::HTTP_10, &[], true),
        (Version::HTTP_11, &["example.com", "example.com"], false),
        (Version::HTTP_10, &["example.com", "evil.example"], false),
        (Version::HTTP_11, &["a b"], false),
        (Version::HTTP_11, &["user@example.com"], false),
        (Version::HTTP_11, &["example.com/path"], false),
        (Version::HTTP_11, &["example.com, evil.example"], false),
    ] {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HeaderName::from_static("host"), HeaderValue::from_str(host).unwrap());
        }
        assert_eq!(has_valid_host(version, &headers), expected, "{version:?} {hosts:?}");
    }
}

/// A body that arrives as `chunks` of this size, each after a pause.
fn arriving(
    chunks: usize,
    size: usize,
    pause: Duration,
    rate: u64,
) -> (RequestBody<Body>, Arc<State>) {
    let chunk = Bytes::from(vec![b'x'; size]);
    let chunks = stream::iter(0..chunks).then(move |_| {
        let chunk = chunk.clone();
        async move {
            sleep(pause).await;
            Ok::<_, Infallible>(chunk)
        }
    });
    let state = Arc::new(State::default());
    let rate = NonZeroU64::new(rate).unwrap();
    (RequestBody::new(Body::from_stream(chunks), TIMEOUT, rate, Arc::clone(&state)), state)
}

#[tokio::test(start_paused = true)]
async fn body_slower_than_the_rate_fails() {
    let seconds = Duration::from_secs;
    for (chunks, size, pause, expected) in [
        // A byte a second: the time for all of it ends.
        (1000, 1, seconds(1), Err(60)),
        // Nothing for longer than the idle timeout.
        (2, 1_000_000, seconds(61), Err(60)),
        // The pace of the slowest that is allowed, for far longer than the idle timeout.
        (300, 1000, seconds(1), Ok(300)),
        // Half of it: after 120 s there are 60 s worth of bytes, so that the time ends there.
        (1000, 500, seconds(1), Err(120)),
        (30, 1, seconds(1), Ok(30)),
    ] {
        let (body, state) = arriving(chunks, size, pause, 1000);
        let began = Instant::now();
        let outcome = body.collect().await;
        let took = began.elapsed().as_secs();
        match expected {
            Ok(expected) => assert!(outcome.is_ok() && took == expected, "{took}"),
            Err(expected) => {
                assert!(outcome.unwrap_err().is::<body::TooSlow>());
                assert!(took.abs_diff(expected) <= 1, "{took}");
            }
        }
        assert!(state.is_responding(), "it is answered either way");
    }
}

#[tokio::test(start_paused = true)]
async fn connection_is_responding_from_the_end_of_the_request_to_the_end_of_the_response() {
    let (mut body, state) = arriving(2, 1, Duration::from_secs(1), 1);
    body.frame().await.unwrap().unwrap();
    assert!(!state.is_responding());
    body.frame().await.unwrap().unwrap();
    assert!(body.frame().await.is_none());
    assert!(state.is_responding());
    let answer = ResponseBody { body: Body::from("x"), state: Arc::clone(&state) };
    drop(body);
    assert!(answer.collect().await.is_ok());
    assert!(!state.is_responding());
    // A body that is not read completely is rejected, and the rejection is a response.
    let (body, state) = arriving(2, 1, Duration::from_secs(1), 1);
    drop(body);
    assert!(state.is_responding());
}

#[tokio::test(start_paused = true)]
async fn write_to_a_client_that_reads_nothing_times_out() {
    let (server, mut client) = tokio::io::duplex(100);
    let state = Arc::new(State::default());
    let mut io = ConnectionIo::new(server, TIMEOUT, Arc::clone(&state));
    io.write_all(&[0; 100]).await.unwrap();
    assert!(!state.is_responding());
    // As long as something is read now and then, it goes on.
    for _ in 0..10 {
        let (written, read) = tokio::join!(io.write_all(&[0; 10]), async {
            sleep(Duration::from_secs(59)).await;
            assert!(state.is_responding(), "the client has to read first");
            client.read_exact(&mut [0; 10]).await
        });
        assert!(written.is_ok() && read.is_ok());
        assert!(!state.is_responding());
    }
    let began = Instant::now();
    assert_eq!(io.write_all(b"x").await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn closed_connection_is_drained_for_a_limited_time() {
    let pair = || {
        let (server, client) = tokio::io::duplex(100);
        let state = Arc::new(State::default());
        (ConnectionIo::new(server, TIMEOUT, Arc::clone(&state)), client, state)
    };
    // Until the client has closed its side.
    let (mut io, mut client, _) = pair();
    io.write_all(b"refused").await.unwrap();
    let reading = async {
        client.write_all(&[0; 10_000]).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        drop(client);
        answer
    };
    let (closed, answer) = tokio::join!(io.shutdown(), reading);
    assert!(closed.is_ok());
    assert_eq!(answer, "refused");
    // While nothing arrives, for five seconds; while something does, for thirty.
    for (pause, expected) in [(Duration::from_secs(10), 5), (Duration::from_secs(1), 30)] {
        let (mut io, mut client, _) = pair();
        let began = Instant::now();
        let writing = async {
            while client.write_all(b"x").await.is_ok() {
                sleep(pause).await;
            }
        };
        tokio::select! {
            closed = io.shutdown() => closed.unwrap(),
            () = writing => panic!("it is closed first"),
        }
        assert_eq!(began.elapsed().as_secs(), expected);
    }
    // Not at all if the client was too slow before.
    let (mut io, _client, state) = pair();
    state.stop_lingering();
    let began = Instant::now();
    io.shutdown().await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 0);
}
