//! Server startup: from settings to a listening server.

mod background_tasks;
pub mod service_manager;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use app::backend::Backend;
use axum::Router;
use tokio::net::TcpListener;

use crate::{
    accounts::{
        AccountService,
        hashing::{Cost, HashError, Hasher},
        user_cache::UserCache,
    },
    clock::Env,
    config::Config,
    domain::username,
    files::{self, FileService},
    http::{
        self, Bodies, ConnectionLimits, State,
        connections::{self, Purpose},
        health::Readiness,
    },
    limits::{Limiter, MailLimiter, Throttle},
    mail::{MailOpenError, MailService, Mailer},
    objects::{ObjectError, Objects},
    pictures::BlockingPool,
    sessions::{self, MailRules, SessionDependencies, SessionRules, SessionService},
    store::{AuditEntry, Event, OpenError, Store, StoreError, prepare_folder},
    task::Tasks,
    tokens::{
        codec::Codec,
        keys::{KeyError, KeyStore, Opened},
    },
};

/// Grace period for running requests during shutdown. Docker kills a container after ten seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);

/// Grace period for messages that are being sent, after that of requests.
const MAIL_GRACE: Duration = Duration::from_secs(1);

/// Error of starting the server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be created or written.
    #[error(
        "the data folder {} cannot be used ({source}); make it writable for this user, or name another one with GATEHOUSE_DATA_DIR", .path.display()
    )]
    DataDir {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A query during startup.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object storage.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The object storage is not that of the other servers.
    #[error(transparent)]
    SharedObjects(#[from] files::SharedObjectsError),
    /// Password hashing.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Preparing the sessions.
    #[error(transparent)]
    Sessions(#[from] sessions::StartError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailOpenError),
    /// Another process listens on the port.
    #[error(
        "{addr} is in use by another process; stop it, or choose another address with {setting}"
    )]
    PortInUse {
        /// The address.
        addr: SocketAddr,
        /// The setting with the address.
        setting: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr} ({source}); choose another address with {setting}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The setting with the address.
        setting: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

/// A server that is ready to listen.
pub struct Server {
    /// Shared state of the handlers.
    pub state: State,
    /// The database.
    pub store: Store,
    /// Mail; [`None`] if none is sent.
    pub mail: Option<MailService>,
    /// Tasks that may outlive their request.
    pub tasks: Tasks,
    /// Limits of its connections.
    connections: ConnectionLimits,
}

impl Server {
    /// Opens the database, keys and object storage, and wires the services.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the data folder, the keys, the database or the object storage cannot be
    /// used.
    pub async fn open(config: &Config, env: Env) -> Result<Self, StartError> {
        Self::open_with(config, env, Readiness::default()).await
    }

    /// Opens a server that reports here once it is ready, and when it stops.
    ///
    /// # Errors
    ///
    /// Those of [`Server::open`].
    pub async fn open_with(
        config: &Config,
        env: Env,
        readiness: Readiness,
    ) -> Result<Self, StartError> {
        prepare_folder(&config.data_dir)
            .map_err(|source| StartError::DataDir { path: config.data_dir.clone(), source })?;
        let mut store = Store::open_with(&config.database_url, config.database_connections).await?;
        if config.mail.is_some() {
            store = store.with_alerts(env.clone());
        }
        let keys = open_keys(config, &store, &env).await?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let hasher = Hasher::new(Cost::default(), cores, env.clone())?;
        let hasher = Arc::new(hasher.with_limit(config.limits.map(|limits| limits.waiting_hashes)));
        let user_cache = Arc::new(UserCache::new(store.clone()));
        let tasks = Tasks::default();
        let throttle = Arc::new(Throttle::new(config.limits, store.clone(), &env, tasks.clone()));
        let policy = config.password_policy();
        let mails = Arc::new(MailLimiter::new(config.limits.as_ref(), &env.clock));
        let sessions = SessionService::start(SessionDependencies {
            store: store.clone(),
            user_cache: Arc::clone(&user_cache),
            hasher: Arc::clone(&hasher),
            codec: Codec::new(Arc::clone(&keys), config.issuer.clone(), config.audience.clone()),
            rules: SessionRules {
                lifetimes: config.lifetimes,
                rotates: config.rotates,
                policy,
                audit: config.audit_seconds,
                mail: MailRules {
                    is_on: config.mail.is_some(),
                    requires_verified_address: config.requires_verified_address,
                    site_url: config.site_url(),
                    limits: Arc::clone(&mails),
                },
            },
            throttle: Arc::clone(&throttle),
            env: env.clone(),
            tasks: tasks.clone(),
        })
        .await?;
        let objects = open_objects(config, &env)?;
        if store.is_on_server() {
            files::ensure_shared(&store, &objects, &env).await?;
        }
        let files = FileService::new(files::Inner {
            store: store.clone(),
            objects,
            pictures: BlockingPool::new(cores, config.pictures_memory),
            user_cache: Arc::clone(&user_cache),
            env: env.clone(),
            quota: config.files_quota,
            files_max: config.files_max,
            scratch: config.data_dir.clone(),
            exports: files::ActiveExports::new(config.exports_max),
            tasks: tasks.clone(),
        });
        let accounts = AccountService {
            store: store.clone(),
            user_cache,
            hasher,
            env: env.clone(),
            throttle,
            registrations: config
                .limits
                .map(|limits| Limiter::new(limits.registration, Arc::clone(&env.clock))),
            registration: config.registration,
            has_mail: config.mail.is_some(),
            requires_verified_address: config.requires_verified_address,
            mails,
            reserved: config
                .reserved_usernames
                .iter()
                .map(|name| username::name_of(name))
                .collect(),
            policy,
            tasks: tasks.clone(),
        };
        let mail = open_mail(config, &store, &env)?;
        readiness.start(store.clone());
        let state = State {
            backend: Backend {
                accounts: Arc::new(accounts),
                sessions: Arc::new(sessions.clone()),
                addresses: Arc::new(sessions.clone()),
                files: Arc::new(files.clone()),
                administration: Arc::new(sessions.clone()),
            },
            sessions,
            files,
            bodies: Bodies::new(config.uploads, config.data_dir.clone()),
            keys,
            readiness,
            site: Arc::new(config.site.clone()),
            env,
            allowed_origins: config.allowed_origins.clone().into(),
            trusted_proxies: config.trusted_proxies.clone().into(),
        };
        Ok(Self { state, store, mail, tasks, connections: config.connections })
    }

    /// Returns the router of this server.
    pub fn router(&self, pages: Router) -> Router {
        http::router(self.state.clone(), pages)
    }

    /// Serves until `stop` completes, then lets running requests finish.
    pub async fn serve(
        self,
        listener: TcpListener,
        pages: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let router = self.router(pages);
        let background_tasks = background_tasks::run(
            self.state.sessions.clone(),
            self.state.files.clone(),
            Arc::clone(&self.state.keys),
            self.mail.clone(),
            self.state.env.clone(),
        );
        let background_tasks = tokio::spawn(background_tasks);
        let (told, mut stopping) = tokio::sync::watch::channel(false);
        let readiness = self.state.readiness.clone();
        let stop = async move {
            stop.await;
            readiness.stop();
            tracing::info!("shutting down");
            told.send_replace(true);
        };
        let serving = connections::serve(
            listener,
            router,
            self.connections,
            Arc::clone(&self.state.trusted_proxies),
            Purpose::Requests,
            self.state.readiness.clone(),
            stop,
        );
        tokio::select! {
            () = async {
                serving.await;
                self.tasks.finish().await;
            } => {}
            () = async {
                // An error means that the sender was dropped: then `serving` has ended.
                let _ = stopping.wait_for(|stopping| *stopping).await;
                tokio::time::sleep(SHUTDOWN_GRACE).await;
            } => {
                tracing::warn!("some requests or changes did not finish within the shutdown grace period");
            }
        }
        if let Some(mail) = &self.mail {
            mail.stop(MAIL_GRACE).await;
        }
        background_tasks.abort();
        if let Err(error) = self.state.sessions.write_acknowledgements().await {
            tracing::warn!(%error, "acknowledgements could not be stored");
        }
        self.store.close().await;
    }
}

/// Binds a listener at the address of a setting.
///
/// # Errors
///
/// [`StartError::PortInUse`] if another process listens there; [`StartError::Listen`] for any other
/// failure.
pub async fn listen(addr: SocketAddr, setting: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { addr, setting },
        _ => StartError::Listen { addr, setting, source },
    })
}

/// Opens the keys. A change of the signing key is audited like any other rotation.
async fn open_keys(config: &Config, store: &Store, env: &Env) -> Result<Arc<KeyStore>, StartError> {
    let algorithm = config.jwt_algorithm;
    let is_shared = store.is_on_server();
    let (keys, opened) = if is_shared {
        KeyStore::open_shared(config.shared_keys(store)?, algorithm, env).await?
    } else {
        KeyStore::open(&config.data_dir, algorithm, config.jwt_secret.clone(), env)?
    };
    if opened == Opened::Rotated {
        tracing::info!(
            algorithm = config.jwt_algorithm.as_str(),
            "a new signing key was created; older keys keep verifying"
        );
    }
    // The rotation of shared keys has written its own.
    if opened == Opened::Rotated && !is_shared {
        let entry = AuditEntry::of_key(Event::KeyRotated, env.now(), &keys.ring().signing().kid);
        store.insert_audit_entry(entry).await?;
    }
    Ok(Arc::new(keys))
}

/// Prepares the sending of mail.
fn open_mail(config: &Config, store: &Store, env: &Env) -> Result<Option<MailService>, StartError> {
    let Some(settings) = &config.mail else {
        tracing::info!(
            "mail is off: addresses are not verified, and administrators reset passwords (GATEHOUSE_MAIL_URL turns it on)"
        );
        return Ok(None);
    };
    let mail = MailService::new(store.clone(), Mailer::open(settings)?, env.clone());
    tracing::info!(
        through = mail.destination(), from = %settings.from, links = %settings.site.url, "mail is on"
    );
    Ok(Some(mail))
}

/// The object storage.
fn open_objects(config: &Config, env: &Env) -> Result<Objects, StartError> {
    if let Some(place) = &config.s3 {
        return Ok(Objects::in_s3(place)?);
    }
    Objects::in_folder(&config.uploads_dir, env.now())
        .map_err(|source| StartError::DataDir { path: config.uploads_dir.clone(), source })
}
