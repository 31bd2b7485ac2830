//! `porthole serve`: puts the roles together in one process and takes them down in good order.

use crate::{agent, config::Config, console, greeting, listener, tls};
use anyhow::{Context, Result, bail};
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use porthole_agent::{Agent, StreamCarrier};
use porthole_control::{
    CertificatePin, Control, ControlConfig, Revocation as Withdrawn,
    app::first_start::FirstPasswords, links::StreamDelivery,
};
use porthole_gateway::{Gateway, GatewayConfig, Revocation, StreamSource};
use porthole_model::{
    ids::StreamId,
    policy::{
        ALLOW_DOWNLOADS, ALLOW_UPLOADS, DOWNLOAD_SIZE, KEEPALIVE_EXPIRATION, MAX_SESSIONS,
        UPLOAD_SIZE,
    },
};
use porthole_store::Store;
use porthole_wire::{close::CloseReason, socket::MessageSocket, ticket::Grant};
use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::broadcast,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How often running streams are held against the store, so that access withdrawn elsewhere (by
/// another process, or while a message was lost) ends within two seconds.
const ACCESS_ROUND: Duration = Duration::from_secs(1);
/// How often a sign-in with an open stream is noted as used.
const USED_EVERY: Duration = Duration::from_secs(60);
/// How long the first report of the local agent is awaited at the start.
const FIRST_REPORT: Duration = Duration::from_secs(5);
/// How long viewers have to hear that the server goes away.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs the server until Ctrl-C or SIGTERM.
///
/// # Errors
/// When something it needs cannot be had; the message says what to do.
pub async fn run(mut config: Config) -> Result<()> {
    let _lock = lock(&config.data_dir)?;
    let listener = listener::bind(config.listen).await?;
    config.listen = listener
        .local_addr()
        .context("cannot read the listening address")?;
    let certificate = config
        .tls
        .enabled
        .then(|| tls::Certificate::open(&config.certificate(), &config.key()))
        .transpose()?;
    let tls = certificate
        .as_ref()
        .map(tls::Certificate::server_config)
        .transpose()?;
    let proxies = networks(&config.proxy.trusted)?;
    let url = config.database();
    let store = Store::open(&url)
        .await
        .with_context(|| format!("cannot open the database {url}"))?;
    let control = Control::new(
        ControlConfig {
            name: config.name.clone(),
            console: console::file,
            pin: pin(certificate.clone()),
            trusted_proxies: proxies.clone(),
            policy: BTreeMap::from([
                (
                    KEEPALIVE_EXPIRATION.name,
                    config.session.keepalive_seconds.into(),
                ),
                (MAX_SESSIONS.name, config.session.max_per_user.into()),
                (ALLOW_UPLOADS.name, config.files.uploads.into()),
                (ALLOW_DOWNLOADS.name, config.files.downloads.into()),
                (UPLOAD_SIZE.name, config.files.max_size_mb.into()),
                (DOWNLOAD_SIZE.name, config.files.max_size_mb.into()),
            ]),
            denied_files: config.files.denied(),
            ..ControlConfig::default()
        },
        store,
    );
    let first_users = control.first_start(given_passwords()).await?;
    let gateway = Gateway::new(
        control.tickets().verifier()?,
        Arc::new(Displays(control.clone())),
        GatewayConfig {
            audit: {
                let control = control.clone();
                Arc::new(move |transfer| {
                    let control = control.clone();
                    Box::pin(async move { control.audit(transfer.into()).await })
                })
            },
            trusted_proxy: Arc::new(move |ip| {
                ip.is_loopback() || proxies.iter().any(|network| network.contains(&ip))
            }),
            ..GatewayConfig::default()
        },
    );

    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    // What watches for withdrawn access starts before anything can be withdrawn.
    parts.spawn(end_streams(control.clone(), gateway.clone()));
    parts.spawn(check_streams(control.clone(), gateway.clone()));
    parts.spawn({
        let (control, stop) = (control.clone(), stop.clone());
        async move { control.manager().run(stop).await }
    });
    parts.spawn({
        let (control, stop) = (control.clone(), stop.clone());
        async move { control.watch_logins(stop).await }
    });
    if let Some(certificate) = &certificate {
        parts.spawn(Arc::clone(certificate).follow());
    }
    let agent = if config.agent.enabled {
        Some(local_agent(&config, &control, &mut parts).await?)
    } else {
        None
    };
    let router = control.router().merge(gateway.router());
    let server = tokio::spawn(listener::serve(
        listener,
        tls.map(Arc::new),
        router,
        stop.clone(),
    ));
    if agent.is_some() {
        first_report(&control).await;
    }
    greeting::print(&config, &first_users);

    tokio::select! {
        () = asked_to_stop() => tracing::info!("stopping; sessions keep running"),
        ended = parts.join_next() => {
            // None of them ends by itself; one that does has failed, and a supervisor restarts us.
            bail!("a part of the server ended by itself: {ended:?}");
        }
    }
    stop.cancel();
    gateway.shut_down(FAREWELL).await;
    let _ = server.await;
    parts.shutdown().await;
    if let Some(agent) = agent {
        agent.shut_down().await;
    }
    Ok(())
}

/// Keeps a second process off the same data.
///
/// # Errors
/// When another one has it, or the folder cannot be made.
pub fn lock(folder: &Path) -> Result<fs::File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| {
        format!(
            "cannot make the data directory {}; run as root, or name another with PORTHOLE_DATA_DIR",
            folder.display()
        )
    })?;
    let path = folder.join("lock");
    let file = fs::File::create(&path).with_context(|| {
        format!(
            "cannot write {}; does it belong to another user?",
            path.display()
        )
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another Porthole runs on {} already; stop it first, or name another folder with PORTHOLE_DATA_DIR",
            folder.display()
        ),
        Err(fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn given_passwords() -> FirstPasswords {
    let given = |variable| {
        std::env::var(variable)
            .ok()
            .filter(|text| !text.is_empty())
            .map(Into::into)
    };
    FirstPasswords {
        admin: given("PORTHOLE_ADMIN_PASSWORD"),
        user: given("PORTHOLE_USER_PASSWORD"),
    }
}

/// Without TLS of our own the proxy's certificate is what agents see, and they check it as usual.
fn pin(certificate: Option<Arc<tls::Certificate>>) -> CertificatePin {
    CertificatePin(Arc::new(move || certificate.as_ref()?.pin()))
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>> {
    texts
        .iter()
        .map(|text| {
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
                .with_context(|| {
                    format!(
                        "proxy.trusted: {text:?} is not an address or network such as 10.0.0.0/8"
                    )
                })
        })
        .collect()
}

/// The local agent, registered, started, and serving its link for as long as the server runs.
async fn local_agent(config: &Config, control: &Control, parts: &mut JoinSet<()>) -> Result<Agent> {
    let registered = control
        .store()
        .agents()
        .ensure_local(&local_name(config))
        .await?;
    let folder = config.data_dir.join("agent");
    tls::write_private(&folder.join("id"), registered.id.to_string().as_bytes())?;
    let agent = Agent::start(agent::settings(config, registered.id, &folder)?)?;
    let (serving, control) = (agent.clone(), control.clone());
    parts.spawn(async move {
        loop {
            let link = control
                .links()
                .attach_local(registered.id, &registered.name);
            let carrier = Arc::new(InProcess(link.streams));
            let end = serving.serve_link(link.receive, link.send, carrier).await;
            tracing::warn!(%end, "the local agent's link ended; it is attached again");
            // Not a tight loop, should the server cut it at once.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    Ok(agent)
}

/// Waits until the local agent has said what it offers, so that "ready" means that a click works;
/// not for long, should the engine be down.
async fn first_report(control: &Control) {
    let reported = async {
        while !control.links().views().values().any(|agent| agent.reported) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(FIRST_REPORT, reported).await.is_err() {
        tracing::warn!("the local agent has not reported yet; porthole doctor tells why");
    }
}

fn local_name(config: &Config) -> String {
    let host = || {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = name.trim();
        if name.is_empty() {
            "local".to_owned()
        } else {
            name.to_owned()
        }
    };
    config.agent.name.clone().unwrap_or_else(host)
}

/// Hands the local agent's streams to the server.
struct InProcess(StreamDelivery);

impl StreamCarrier for InProcess {
    fn carry(
        &self,
        stream_id: StreamId,
        socket: MessageSocket,
    ) -> BoxFuture<'static, io::Result<()>> {
        let delivered = self.0.deliver(stream_id, socket).map_err(io::Error::other);
        Box::pin(async move { delivered })
    }
}

/// Opens displays and files for the gateway, through the agents' links.
struct Displays(Control);

impl StreamSource for Displays {
    fn open(&self, grant: &Grant) -> BoxFuture<'static, Result<MessageSocket, CloseReason>> {
        let (control, grant) = (self.0.clone(), grant.clone());
        Box::pin(async move { control.open_stream(&grant).await })
    }
}

/// Cuts streams as soon as the control plane withdraws access.
async fn end_streams(control: Control, gateway: Gateway) {
    let mut revocations = control.events().subscribe_revocations();
    loop {
        match revocations.recv().await {
            Ok(Withdrawn::LoginEnded(id)) => gateway.revoke(Revocation::Login(id)),
            Ok(Withdrawn::UserRevoked(id)) => gateway.revoke(Revocation::User(id)),
            Ok(Withdrawn::SessionEnded(id, reason)) => {
                gateway.revoke(Revocation::Session(id, reason));
            }
            // What was missed, the next round of `check_streams` finds.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Holds every running stream against the store, again and again. Looking at a stream is use of the
/// sign-in behind it.
async fn check_streams(control: Control, gateway: Gateway) {
    let mut rounds = tokio::time::interval(ACCESS_ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut touched = Instant::now();
    loop {
        rounds.tick().await;
        let touch = touched.elapsed() >= USED_EVERY;
        if touch {
            touched = Instant::now();
        }
        let logins: HashSet<_> = gateway
            .streams()
            .iter()
            .filter_map(|stream| stream.login_id)
            .collect();
        for login in logins {
            // An error is no answer: the store may be away for a moment.
            if let Ok(false) = control.store().logins().lives(login).await {
                gateway.revoke(Revocation::Login(login));
            } else if touch && let Err(error) = control.store().logins().touch(login).await {
                tracing::warn!(%error, "a sign-in in use could not be kept alive");
            }
        }
    }
}
