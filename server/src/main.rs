//! Command line of `gatehouse`: serves by default; subcommands show the settings, manage signing
//! keys and user accounts, print the audit log and create fake accounts.

// A page is a type as deep as its elements.
#![recursion_limit = "512"]

use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

use axum::Router;
use clap::{Parser, Subcommand};
use rustix::{fs::Mode, process::Signal};
use server::{
    clock::Env,
    commands::{
        audit, backup, health,
        keys::{self, KeysCommand},
        mail::{self, MailCommand},
        output::Output,
        restore, seed,
        user::{self, UserCommand},
    },
    config::{self, Config, Sources},
    http::{
        self,
        health::Readiness,
        monitoring,
        pages::{self, Pages},
        static_files::Site,
    },
    log,
    metrics::metrics,
    startup::{self, Server, service_manager::ServiceManager},
};
use tokio::signal::unix::{SignalKind, signal};

/// Account server for web applications: registration, login, sessions, profiles and administration
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Start the server (the default)
    Serve,
    /// Print all settings with their values and sources; secrets are masked
    Config,
    /// List, rotate and retire token signing keys; a running server applies changes within a second
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print the audit log, oldest entry first, one line per entry
    Audit(audit::Arguments),
    /// List, create and change user accounts; a running server applies changes within a second
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Check the settings of mail
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Create fake accounts for testing and demos
    Seed(seed::Arguments),
    /// Check that the server of these settings is ready; the exit code is 0 if it is, else 1
    Health(health::Arguments),
    /// Write the database, the signing keys and the uploaded files to one archive; the server may
    /// be running
    Backup(backup::Arguments),
    /// Replace the database, the signing keys and the uploaded files by those of a backup; the
    /// server must not be running
    Restore(restore::Arguments),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    let ran = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| {
            let ran = runtime.block_on(run(command));
            // Blocking work, such as decoding a picture for a disconnected client, must not delay
            // the exit.
            runtime.shutdown_background();
            ran
        });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "gatehouse: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything is opened, so that a signal during the start stops it cleanly.
    let stop = matches!(command, Command::Serve).then(stop_signal).transpose()?;
    // Files that this program creates are readable by its user alone.
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let sources = Sources::of_process(Path::new("."))?;
    let config = Config::read(&sources);
    let mut out = Output::new(std::io::stdout());
    match command {
        Command::Config => {
            write!(out, "{}", config::describe(&sources))?;
            config?;
            Ok(())
        }
        Command::Keys { command } => {
            keys::run(command, &config?, &Env::system(), &mut out).await?;
            Ok(())
        }
        Command::User { command } => {
            Ok(user::run(command, &config?, &Env::system(), &mut out).await?)
        }
        Command::Mail { command } => {
            Ok(mail::run(command, &config?, &Env::system(), &mut out).await?)
        }
        Command::Seed(arguments) => {
            Ok(seed::run(arguments, &config?, &Env::system(), &mut out).await?)
        }
        Command::Health(arguments) => Ok(health::run(&arguments, &config?, &mut out)?),
        Command::Backup(arguments) => {
            Ok(backup::run(&arguments, &config?, &Env::system(), &mut out).await?)
        }
        Command::Restore(arguments) => {
            Ok(restore::run(&arguments, &config?, &Env::system(), &mut out).await?)
        }
        Command::Serve => {
            let Some(stop) = stop else { return Ok(()) };
            serve(&config?, stop).await
        }
        Command::Audit(arguments) => {
            Ok(audit::run(&arguments, &config?.database_url, &Env::system(), &mut out).await?)
        }
    }
}

async fn serve(
    config: &Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn std::error::Error>> {
    let _log = log::start(config)?;
    ignore_signals()?;
    http::raise_descriptor_limit();
    // With a handler, a write beyond the file size limit (`ulimit -f`) fails like one to a full
    // disk; without one, SIGXFSZ would end the program.
    let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let manager = ServiceManager::from_environment();
    let notified = manager.clone();
    let mut stop = Box::pin(async move {
        stop.await;
        notified.stopping();
    });
    // The port first: a second instance fails here and changes nothing.
    let listener = startup::listen(config.addr, "GATEHOUSE_ADDR").await?;
    let (env, readiness) = (Env::system(), Readiness::default());
    metrics().set_start_time(env.now());
    if let Some(addr) = config.metrics_addr {
        let listener = startup::listen(addr, "GATEHOUSE_METRICS_ADDR").await?;
        tracing::info!(address = %listener.local_addr()?, "metrics are served");
        // Until the process ends: readiness checks learn of the shutdown here.
        tokio::spawn(monitoring::serve(listener, readiness.clone()));
    }
    let server = tokio::select! {
        () = &mut stop => {
            tracing::info!("stopped before the start was complete");
            return Ok(());
        }
        server = Server::open_with(config, env, readiness) => server?,
    };
    announce(format!("Gatehouse is listening on http://{}\n", listener.local_addr()?));
    let pages = pages(config);
    manager.ready();
    server.serve(listener, pages, stop).await;
    Ok(())
}

/// Prints a line to standard output from a thread of its own: a server whose standard output is
/// full, closed or not read serves all the same.
fn announce(line: String) {
    let printing = std::thread::Builder::new().spawn(move || {
        if let Err(error) = std::io::stdout().write_all(line.as_bytes()) {
            tracing::warn!(%error, "standard output cannot be written");
        }
    });
    if let Err(error) = printing {
        tracing::warn!(%error, "standard output is not written");
    }
}

fn pages(config: &Config) -> Router {
    let site = Site::open(&config.site_dir, Site::hash_file().as_deref());
    if !site.is_built() {
        tracing::warn!(
            folder = %config.site_dir.display(),
            "the site files are missing: pages will not hydrate (build them with make build; GATEHOUSE_SITE_DIR is their folder)"
        );
    }
    let remembered = config.lifetimes.refresh.min(config.lifetimes.session);
    pages::router(&Pages {
        site,
        info: Arc::new(config.site.clone()),
        password_min: config.password_min,
        remember_seconds: usize::try_from(remembered).unwrap_or_default(),
        mail: config.mail.is_some(),
        registration: config.registration,
        require_verified_address: config.requires_verified_address,
        reload: config.reload,
    })
}

/// Completes at the first SIGINT or SIGTERM. The second one ends the program at once. Signals are
/// handled from this call on, and not only once the future is polled.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    Ok(async move {
        next().await;
        tokio::spawn(async move {
            let signal = next().await;
            tracing::warn!("ended at once by a second signal");
            // As a shell reports a program that was ended by this signal.
            std::process::exit(128 + signal.as_raw_value());
        });
    })
}

/// Keeps signals from ending the program that do so by default and ask for something that it does
/// not do.
fn ignore_signals() -> std::io::Result<()> {
    for (name, kind) in [
        ("SIGHUP", SignalKind::hangup()),
        ("SIGUSR1", SignalKind::user_defined1()),
        ("SIGUSR2", SignalKind::user_defined2()),
        ("SIGALRM", SignalKind::alarm()),
        ("SIGIO", SignalKind::io()),
    ] {
        let mut received = signal(kind)?;
        tokio::spawn(async move {
            while received.recv().await.is_some() {
                tracing::info!(
                    signal = name,
                    "ignored; settings are read at the start, SIGTERM stops the server"
                );
            }
        });
    }
    Ok(())
}
