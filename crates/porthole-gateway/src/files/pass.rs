//! Passes: the right to a session's files for as long as it is used.
//!
//! A ticket is good once and for seconds; files are many requests over hours. So a ticket opens a
//! pass, a random secret that the browser keeps as a cookie for this session's files alone. In the
//! registry it is a stream like any other: what is withdrawn ends it, and all that goes on with it,
//! at once.

use super::{Problem, audit, audit::Transfer, channel::Channels, channel::Lease, from_here};
use crate::{Gateway, Inner, registry::Live};
use axum::{
    Json,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use porthole_files::message::UploadId;
use porthole_model::{
    files::{DirectionRules, FileRules, TransferOutcome},
    ids::SessionId,
};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Duration, Instant, sleep_until, timeout},
};

/// The cookie that holds a pass.
pub(super) const COOKIE: &str = "porthole-files";
/// The largest request that opens a pass, in bytes.
const MAX_TICKET: usize = 256 * 1024;

/// An open pass.
pub(crate) struct Pass {
    pub live: Arc<Live>,
    pub rules: FileRules,
    pub channels: Channels,
    /// Uploads that have begun and are not whole.
    pub uploads: Mutex<HashMap<UploadId, Transfer>>,
    pub gateway: Arc<Inner>,
    token: String,
    requests: AtomicUsize,
    used: Mutex<Instant>,
    quiet: Notify,
}

/// A request that uses a pass.
pub(crate) struct Using(Arc<Pass>);

impl Using {
    pub fn pass(&self) -> &Arc<Pass> {
        &self.0
    }

    /// For what goes on when the request is answered.
    pub fn again(&self) -> Self {
        self.0.requests.fetch_add(1, Relaxed);
        Self(self.0.clone())
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        *self.0.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.requests.fetch_sub(1, Relaxed);
        self.0.quiet.notify_one();
    }
}

impl Pass {
    /// A channel to the session's helper.
    pub async fn channel(&self) -> Result<Lease, Problem> {
        let config = &self.gateway.config;
        let open = async {
            timeout(config.source, self.gateway.source.open(&self.live.grant))
                .await
                .unwrap_or(Err(porthole_wire::close::CloseReason::AgentLost))
        };
        Ok(self.channels.lease(open).await?)
    }

    /// Does something unless the pass ends meanwhile.
    pub async fn unless_ended<T>(
        &self,
        task: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        tokio::select! {
            biased;
            reason = self.live.ended() => Err(Problem::ended(reason.to_string())),
            done = task => done,
        }
    }

    pub fn uploads(&self) -> MutexGuard<'_, HashMap<UploadId, Transfer>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the end of a transfer; see [`audit::record`].
    pub fn record(
        &self,
        transfer: Transfer,
        outcome: TransferOutcome,
        detail: Option<String>,
    ) -> impl Future<Output = ()> + Send + use<> {
        audit::record(self, transfer, outcome, detail)
    }

    /// Waits until nobody has used it for so long.
    async fn unused(&self, idle: Duration) {
        loop {
            let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let until = used + idle;
            if self.requests.load(Relaxed) == 0 {
                if until <= Instant::now() {
                    return;
                }
                sleep_until(until).await;
            } else {
                self.quiet.notified().await;
            }
        }
    }
}

/// The passes there are, by their secret.
#[derive(Default)]
pub(crate) struct Passes(Mutex<HashMap<String, Arc<Pass>>>);

impl Passes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Pass>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pass of this secret, if it is one for the session.
    pub fn find(&self, token: &str, session_id: SessionId) -> Option<Using> {
        let passes = self.lock();
        let pass = passes
            .get(token)
            .filter(|pass| pass.live.grant.session_id == session_id)?;
        // Counted under the lock: one that is being closed is not found any more.
        pass.requests.fetch_add(1, Relaxed);
        Some(Using(pass.clone()))
    }

    /// Takes the pass out unless somebody began to use it.
    fn remove_unused(&self, pass: &Pass) -> bool {
        let mut passes = self.lock();
        let unused = pass.requests.load(Relaxed) == 0;
        if unused {
            passes.remove(&pass.token);
        }
        unused
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    ticket: String,
}

#[derive(Serialize)]
struct Opened<'a> {
    /// For clients without cookies: `Authorization: Bearer …`.
    pass: &'a str,
    upload: &'a DirectionRules,
    download: &'a DirectionRules,
}

/// `POST …/files`
pub(super) async fn open(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    if !from_here(&parts, &gateway) {
        return Err(Problem::elsewhere());
    }
    let session_id = super::session_id(&mut parts).await?;
    let body = timeout(gateway.inner.config.stall, to_bytes(body, MAX_TICKET))
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| Problem::bad_request("the body did not come, or is too long"))?;
    let opening: Opening = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("the body is no ticket: {error}")))?;
    let grant = gateway
        .inner
        .verifier
        .verify(&opening.ticket)
        .ok()
        .filter(|grant| grant.session_id == session_id)
        .ok_or_else(Problem::no_pass)?;
    let rules = grant.files.clone().ok_or_else(Problem::no_pass)?;
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    let token = BASE64_URL_SAFE_NO_PAD.encode(secret);

    let (tell, told) = oneshot::channel();
    tokio::spawn({
        let (inner, token, rules) = (gateway.inner.clone(), token.clone(), rules.clone());
        async move {
            let admitted = match inner.registry.admit(grant) {
                Ok(admitted) => admitted,
                Err(refused) => {
                    let _ = tell.send(Err(refused));
                    return;
                }
            };
            let pass = Arc::new(Pass {
                live: admitted.live.clone(),
                rules,
                channels: Channels::default(),
                uploads: Mutex::default(),
                gateway: inner.clone(),
                token: token.clone(),
                requests: AtomicUsize::new(0),
                used: Mutex::new(Instant::now()),
                quiet: Notify::new(),
            });
            inner.passes.lock().insert(token, pass.clone());
            let _ = tell.send(Ok(()));
            keep(&inner, &pass).await;
        }
    });
    match told.await {
        Ok(Ok(())) => {}
        Ok(Err(refused)) => {
            tracing::info!(%session_id, ?refused, "files refused");
            return Err(Problem::no_pass());
        }
        Err(_) => return Err(Problem::unavailable("the gateway ends")),
    }
    let cookie = format!(
        "{COOKIE}={token}; Path=/gateway/v1/sessions/{session_id}/files; Secure; HttpOnly; SameSite=Strict"
    );
    let opened = Opened {
        pass: &token,
        upload: &rules.upload,
        download: &rules.download,
    };
    let mut response = (StatusCode::CREATED, Json(opened)).into_response();
    let headers = response.headers_mut();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Keeps a pass until it is withdrawn, closed, or not used any more.
async fn keep(inner: &Inner, pass: &Pass) {
    let grant = &pass.live.grant;
    let (session_id, user_id) = (grant.session_id, grant.user_id);
    tracing::info!(%session_id, %user_id, "files opened");
    let reason = loop {
        tokio::select! {
            reason = pass.live.ended() => {
                inner.passes.lock().remove(&pass.token);
                break reason.to_string();
            }
            () = pass.unused(inner.config.files_idle) => {
                if inner.passes.remove_unused(pass) {
                    break "not used any more".to_owned();
                }
            }
        }
    };
    pass.channels.close();
    let unfinished: Vec<_> = pass
        .uploads()
        .drain()
        .map(|(_, transfer)| transfer)
        .collect();
    for transfer in unfinished {
        let detail = Some(reason.clone());
        pass.record(transfer, TransferOutcome::Interrupted, detail)
            .await;
    }
    tracing::info!(%session_id, %user_id, reason, "files closed");
}
