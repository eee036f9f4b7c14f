//! For `make bench`: the server, and beside it a bare axum route behind the same layers.
//!
//! Settings come from the environment; it prints its address and stops on SIGTERM, as `gatehouse`
//! does.

use std::{error::Error, io::Write as _, path::Path};

use axum::{Router, http::header, routing::get};
use server::{
    clock::Env,
    config::{Config, Sources},
    startup::{self, Server},
};
use tokio::signal::unix::{SignalKind, signal};

/// As long as the response of `GET /api/me`.
const BODY: &str = r#"{"id":"01a1f8fc-0140-7830-9d2a-ef66eceeaca9","username":"bench","nickname":null,"avatar_url":null,"role":"user","created_at":1800000000,"login_time":1800000000,"expiration_time":1800000900,"token_type":"access","fresh":true}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::read(&Sources::of_process(Path::new("."))?)?;
    let listener = startup::listen(config.addr, "GATEHOUSE_ADDR").await?;
    let server = Server::open(&config, Env::system()).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    writeln!(std::io::stdout(), "Gatehouse is listening on http://{}", listener.local_addr()?)?;
    let bare = Router::new()
        .route("/bare", get(|| async { ([(header::CONTENT_TYPE, "application/json")], BODY) }));
    let stop = async move {
        terminate.recv().await;
    };
    server.serve(listener, bare, stop).await;
    Ok(())
}
