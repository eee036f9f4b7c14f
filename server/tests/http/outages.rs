//! Outages of PostgreSQL: behind a proxy that the tests cut.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    sync::watch,
};

use crate::{
    app::{App, PASSWORD},
    database::PostgresDatabase,
};

/// A proxy in front of the database server, on a port of the loopback interface.
struct Proxy {
    address: String,
    state: Arc<watch::Sender<State>>,
}

/// The number is that of the outages so far: each cuts the connections that were open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up(u32),
    /// New connections are closed.
    Down(u32),
    /// New connections are accepted, and nothing is answered.
    Silent(u32),
}

impl Proxy {
    /// Starts a proxy to the Unix socket of a URL of [`PostgresDatabase`].
    async fn start(url: &str) -> Self {
        let (_, folder) = url.split_once("host=").unwrap();
        let socket = format!("{folder}/.s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (state, states) = watch::channel(State::Up(0));
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let (socket, mut states) = (socket.clone(), states.clone());
                let began = *states.borrow_and_update();
                tokio::spawn(async move {
                    match began {
                        State::Down(_) => {}
                        State::Silent(_) => {
                            let _ = states.wait_for(|state| *state != began).await;
                        }
                        State::Up(_) => {
                            let mut server = UnixStream::connect(socket).await.unwrap();
                            tokio::select! {
                                _ = copy_bidirectional(&mut client, &mut server) => {}
                                _ = states.wait_for(|state| *state != began) => {}
                            }
                        }
                    }
                });
            }
        });
        Self { address, state: Arc::new(state) }
    }

    fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn app() -> (App, Proxy, PostgresDatabase) {
    let database = PostgresDatabase::create().expect("GATEHOUSE_TEST_POSTGRES");
    let url = database.url();
    let proxy = Proxy::start(&url).await;
    let (server, _) = url.split_once('?').unwrap();
    let url = format!(
        "{}?sslmode=disable",
        server.replace("@localhost/", &format!("@{}/", proxy.address))
    );
    (App::with(&[("DATABASE_URL", &url)]).await, proxy, database)
}

mod on_postgres {
    use super::*;

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn requests_during_an_outage_are_503_and_succeed_after_it() {
        let (app, proxy, _database) = app().await;
        let pair = app.register_and_login("alice").await;
        let login = json!({ "username": "alice", "password": PASSWORD });
        for (number, outage) in [(1, State::Down(1)), (2, State::Silent(2))] {
            proxy.set(outage);
            app.refresh(&pair.refresh).await.assert_failure(503, "unavailable");
            app.post("/api/auth/login")
                .json(&login)
                .send()
                .await
                .assert_failure(503, "unavailable");
            proxy.set(State::Up(number));
            assert_eq!(app.me(&pair.access).await.status, StatusCode::OK, "{outage:?}");
            assert_eq!(app.register(&format!("bob{number}")).await.status, StatusCode::CREATED);
        }
        assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
        app.login("alice").await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    async fn requests_right_after_a_restart_of_the_database_succeed() {
        let (app, proxy, _database) = app().await;
        let pair = app.register_and_login("alice").await;
        for number in 1..5 {
            proxy.set(State::Up(number));
            app.login("alice").await;
            assert_eq!(app.register(&format!("bob{number}")).await.status, StatusCode::CREATED);
        }
        assert_eq!(app.refresh(&pair.refresh).await.status, StatusCode::OK);
    }
}
