//! Display containers, their directories, and the warm pool.
//!
//! Of each display the directory `{runtime_dir}/displays/{display_id}` holds the facts that outlive
//! the agent: `claim` with the id of the session that took it, `stopped` while that session is
//! meant to be stopped, `removing` once it is being removed.

use crate::{
    display_client,
    engine::{DisplaySpec, EngineError, Labelled, display_name},
    failures,
    state::{Problem, Shared},
};
use porthole_model::{
    ids::{DisplayId, SessionId},
    resources::Bytes,
    session::Failure,
};
use std::{
    collections::{HashMap, HashSet},
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// How long a display's socket may take to appear.
const READY: Duration = Duration::from_secs(20);
/// How long the pool waits after a display was taken, so that it does not compete with the launch.
const REPLENISH: Duration = Duration::from_secs(2);
/// How long a display waits for the session that claimed it, after the agent was started anew.
const CLAIM: Duration = Duration::from_mins(2);
/// The shortest and longest wait after a display could not be made.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

const CLAIM_FILE: &str = "claim";
const STOPPED_FILE: &str = "stopped";
const REMOVING_FILE: &str = "removing";

/// Whose a display is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The pool's, and not ready yet.
    Making,
    /// The pool's, and ready.
    Warm,
    /// A session's.
    Claimed(SessionId),
    /// Nobody's: it is being removed.
    Removing,
}

#[derive(Debug, Clone, Copy)]
struct Display {
    owner: Owner,
    shm_size: Bytes,
    since: Instant,
}

/// How many displays there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub all: u32,
    pub warm: u16,
}

pub(crate) struct Displays {
    root: PathBuf,
    map: Mutex<HashMap<DisplayId, Display>>,
    /// One that ended or was taken: the pool has work.
    changed: Notify,
    /// Ends of displays, for those that await one.
    ended: watch::Sender<HashSet<DisplayId>>,
}

/// Why a display is not ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DisplayError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("its directory cannot be made: {0}")]
    Directory(io::Error),
    #[error("it ended at once")]
    Ended(String),
    #[error("it was not ready in time")]
    Late,
}

impl DisplayError {
    /// In words for people.
    pub fn failure(&self, image: &str) -> Failure {
        let part = format!("image {image}");
        match self {
            Self::Engine(error) => failures::engine("The display cannot be started", &part, error),
            Self::Directory(error) => failures::failure(
                format!("The display's directory cannot be made: {error}"),
                "runtime directory",
                "Check that the agent may write there and that the disk is not full",
            ),
            Self::Ended(log) => failures::failure(
                "The display ended as soon as it was started",
                part,
                if log.is_empty() {
                    "It wrote nothing to its log; check the display image".to_owned()
                } else {
                    format!("The last lines of its log:\n{}", failures::quote(log))
                },
            ),
            Self::Late => failures::failure(
                format!("The display was not ready within {} s", READY.as_secs()),
                part,
                "The host may be overloaded; try again",
            ),
        }
    }
}

impl Displays {
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            map: Mutex::default(),
            changed: Notify::new(),
            ended: watch::Sender::new(HashSet::new()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DisplayId, Display>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A display's directory.
    pub fn dir(&self, id: DisplayId) -> PathBuf {
        self.root.join(id.to_string())
    }

    pub fn count(&self) -> Count {
        let map = self.lock();
        let warm = map.values().filter(|d| d.owner == Owner::Warm).count();
        Count {
            all: map.len() as u32,
            warm: u16::try_from(warm).unwrap_or(u16::MAX),
        }
    }

    /// The display that a session has.
    pub fn of(&self, session: SessionId) -> Option<DisplayId> {
        let map = self.lock();
        let mut claimed = map
            .iter()
            .filter(|(_, d)| d.owner == Owner::Claimed(session));
        claimed.next().map(|(id, _)| *id)
    }

    /// Sessions with the displays they claimed, from the directories.
    pub fn claims(&self) -> Vec<(SessionId, DisplayId)> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let claims = entries.filter_map(|entry| {
            let display = entry.file_name().to_str()?.parse().ok()?;
            let session = fs::read_to_string(entry.path().join(CLAIM_FILE)).ok()?;
            Some((session.trim().parse().ok()?, display))
        });
        claims.collect()
    }

    /// The session that has a display.
    pub fn session(&self, id: DisplayId) -> Option<SessionId> {
        match self.lock().get(&id)?.owner {
            Owner::Claimed(session) => Some(session),
            _ => None,
        }
    }

    /// Takes a warm display with at least so much shared memory for a session. The claim is a file
    /// made exclusively: a fact that survives whatever comes next.
    pub fn take(&self, session: SessionId, shm_size: Bytes) -> Option<DisplayId> {
        let mut map = self.lock();
        let warm = map
            .iter_mut()
            .filter(|(_, d)| d.owner == Owner::Warm && d.shm_size >= shm_size);
        // The oldest first, so that none grows old in the pool.
        let mut warm: Vec<_> = warm.collect();
        warm.sort_by_key(|(_, display)| display.since);
        let taken = warm.into_iter().find_map(|(id, display)| {
            match claim(&self.dir(*id), session) {
                Ok(()) => {
                    *display = Display {
                        owner: Owner::Claimed(session),
                        since: Instant::now(),
                        ..*display
                    };
                    Some(*id)
                }
                Err(error) => {
                    tracing::warn!(display_id = %id, %error, "a warm display cannot be claimed");
                    None
                }
            }
        });
        drop(map);
        if taken.is_some() {
            self.changed.notify_one();
        }
        taken
    }

    /// A display's own facts, for a session that takes none from the pool.
    pub fn make_claimed(&self, session: SessionId, shm_size: Bytes) -> io::Result<DisplayId> {
        let id = DisplayId::new();
        let owner = Owner::Claimed(session);
        self.lock().insert(
            id,
            Display {
                owner,
                shm_size,
                since: Instant::now(),
            },
        );
        let made = make_dir(&self.dir(id)).and_then(|()| claim(&self.dir(id), session));
        if made.is_err() {
            self.lock().remove(&id);
            let _ = fs::remove_dir_all(self.dir(id));
        }
        made.map(|()| id)
    }

    /// Marks that the session on a display is meant to be stopped, or not.
    pub fn mark_stopped(&self, id: DisplayId, stopped: bool) -> io::Result<()> {
        mark(&self.dir(id).join(STOPPED_FILE), stopped)
    }

    /// Whether the session on a display is meant to be stopped.
    pub fn is_stopped(&self, id: DisplayId) -> bool {
        self.dir(id).join(STOPPED_FILE).exists()
    }

    /// Marks that a display and all with it is being removed; there is no way back.
    pub fn mark_removing(&self, id: DisplayId) -> io::Result<()> {
        if let Some(display) = self.lock().get_mut(&id)
            && !matches!(display.owner, Owner::Claimed(_))
        {
            display.owner = Owner::Removing;
        }
        match mark(&self.dir(id).join(REMOVING_FILE), true) {
            // Without a directory there is nothing to come back from.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            marked => marked,
        }
    }

    /// Whether a display is being removed.
    pub fn is_removing(&self, id: DisplayId) -> bool {
        self.dir(id).join(REMOVING_FILE).exists()
    }

    /// A display's container ended: tells those that await it, and the pool if it was the pool's.
    pub fn note_end(&self, id: DisplayId) {
        self.ended.send_modify(|ended| {
            ended.insert(id);
        });
        let mut map = self.lock();
        if let Some(display) = map.get_mut(&id)
            && display.owner == Owner::Warm
        {
            display.owner = Owner::Removing;
            drop(map);
            self.changed.notify_one();
        }
    }

    /// Resolves when the display's container ends.
    pub async fn end_of(&self, id: DisplayId) {
        let mut ended = self.ended.subscribe();
        let end = ended
            .wait_for(|ended| ended.contains(&id))
            .await
            .map(|_| ());
        if end.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for inside in ["x11", "stream"] {
        let path = dir.join(inside);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // The display runs as uid 1000 and makes its sockets here; nobody else gets this far,
        // `displays` is closed to others.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777))?;
    }
    Ok(())
}

fn claim(dir: &Path, session: SessionId) -> io::Result<()> {
    let mut file = fs::File::create_new(dir.join(CLAIM_FILE))?;
    file.write_all(session.to_string().as_bytes())
}

fn mark(path: &Path, set: bool) -> io::Result<()> {
    if set {
        return fs::File::create(path).map(|_| ());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Brings a display up: makes its container if there is none, starts it, waits for its socket.
pub(crate) async fn bring_up(
    shared: &Shared,
    id: DisplayId,
    shm_size: Bytes,
) -> Result<(), DisplayError> {
    let name = display_name(id);
    let dir = shared.displays.dir(id);
    make_dir(&dir).map_err(DisplayError::Directory)?;
    // Whatever ended before is of no interest to this start.
    shared.displays.ended.send_modify(|ended| {
        ended.remove(&id);
    });
    let state = shared.engine.inspect(&name).await?;
    if !state.as_ref().is_some_and(|state| state.running) {
        // The socket of its last run would be taken for this one's; so would the X server's lock.
        for stale in ["stream/display.sock", "x11/X1"] {
            let _ = fs::remove_file(dir.join(stale));
        }
        loop {
            let spec = DisplaySpec {
                agent_id: shared.config.agent_id,
                display_id: id,
                image: shared.config.display_image.clone(),
                dir: dir.clone(),
                shm_size,
                memory: shared.config.display_memory,
                max: shared.config.display_max,
                limits: shared.limits(),
            };
            let started = async {
                if state.is_none() {
                    shared.engine.create_display(&spec).await?;
                }
                shared.engine.start(&name).await
            };
            match started.await {
                Ok(()) => break,
                Err(error) if state.is_none() && shared.degrade(&error) => {
                    shared.engine.remove(&name).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let up = async {
        tokio::select! {
            appeared = display_client::appeared(&dir) => appeared.map_err(DisplayError::Directory),
            () = shared.displays.end_of(id) => {
                let log = shared.engine.log_tail(&name).await;
                Err(DisplayError::Ended(log))
            }
        }
    };
    tokio::time::timeout(READY, up)
        .await
        .unwrap_or(Err(DisplayError::Late))
}

/// Removes a display's container and directory. Its session's must be gone.
pub(crate) async fn remove(shared: &Shared, id: DisplayId) -> Result<(), EngineError> {
    shared.engine.remove(&display_name(id)).await?;
    let dir = shared.displays.dir(id);
    match tokio::fs::remove_dir_all(&dir).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(EngineError::Refused(format!(
                "{} stays: {error}",
                dir.display()
            )));
        }
        _ => {}
    }
    shared.displays.lock().remove(&id);
    shared
        .displays
        .ended
        .send_if_modified(|ended| ended.remove(&id));
    Ok(())
}

/// Looks at the displays that exist: `containers` is all that the engine has of this agent.
/// Gives the ids to remove: half-made ones, and ones that nobody will ask for.
/// `listed` is when the list was asked for: what is younger it cannot know.
pub(crate) fn survey(shared: &Shared, containers: &[Labelled], listed: Instant) -> Vec<DisplayId> {
    use crate::engine::Kind;
    let displays = &shared.displays;
    let mut found: HashMap<DisplayId, Option<&Labelled>> = HashMap::new();
    for entry in fs::read_dir(&displays.root).into_iter().flatten().flatten() {
        if let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        {
            found.insert(id, None);
        }
    }
    let mut used: HashSet<SessionId> = HashSet::new();
    for container in containers {
        match &container.kind {
            Kind::Display(id) => {
                found.insert(*id, Some(container));
            }
            Kind::Workspace(spec, id) => {
                found.entry(*id).or_insert(None);
                used.insert(spec.session_id);
            }
            Kind::Broken => {}
        }
    }
    let image = shared.config.display_image.as_str();
    let mut map = displays.lock();
    let mut remove = Vec::new();
    for (id, container) in found {
        let dir = displays.dir(id);
        let ready =
            container.is_some_and(|c| c.running) && dir.join("stream/display.sock").exists();
        match map.get(&id).copied() {
            // A session's task, or the pool's, is at it.
            Some(Display {
                owner: Owner::Making,
                ..
            }) => continue,
            Some(Display {
                owner: Owner::Claimed(session),
                since,
                ..
            }) => {
                let wanted = used.contains(&session) || shared.sessions.has(session);
                if !wanted && since.elapsed() > CLAIM {
                    remove.push(id);
                }
                continue;
            }
            Some(Display {
                owner: Owner::Warm,
                since,
                ..
            }) if ready || since >= listed => continue,
            Some(Display {
                owner: Owner::Warm | Owner::Removing,
                ..
            }) => {}
            None => {
                let session = fs::read_to_string(dir.join(CLAIM_FILE)).ok();
                let session = session.and_then(|text| text.trim().parse().ok());
                let owner = match session {
                    // What is being removed is gone on with by its session, where there is one.
                    Some(session) if used.contains(&session) => Some(Owner::Claimed(session)),
                    Some(session) if container.is_some() && !displays.is_removing(id) => {
                        Some(Owner::Claimed(session))
                    }
                    None if ready && container.is_some_and(|c| c.image == image) => {
                        Some(Owner::Warm)
                    }
                    _ => None,
                };
                let shm_size = shared.config.shm_size;
                if let Some(owner) = owner {
                    map.insert(
                        id,
                        Display {
                            owner,
                            shm_size,
                            since: Instant::now(),
                        },
                    );
                    continue;
                }
            }
        }
        map.insert(
            id,
            Display {
                owner: Owner::Removing,
                shm_size: Bytes(0),
                since: Instant::now(),
            },
        );
        remove.push(id);
    }
    // Warm ones whose container went away without a word.
    let seen: HashSet<DisplayId> = containers
        .iter()
        .filter_map(|c| {
            if let Kind::Display(id) = c.kind {
                Some(id)
            } else {
                None
            }
        })
        .collect();
    for (id, display) in map.iter_mut() {
        let gone = display.owner == Owner::Warm && display.since < listed && !seen.contains(id);
        if gone && !remove.contains(id) {
            display.owner = Owner::Removing;
            remove.push(*id);
        }
    }
    drop(map);
    displays.changed.notify_one();
    remove
}

/// Keeps so many displays ready as are configured.
pub(crate) async fn keep_warm(shared: Arc<Shared>) {
    let mut wait = RETRY.0;
    let target = usize::from(shared.config.warm_displays.min(64));
    loop {
        shared.engine_up().await;
        match fill(&shared, target).await {
            Ok(true) => wait = RETRY.0,
            Ok(false) => {
                wait = RETRY.0;
                shared.displays.changed.notified().await;
                // A launch has the host for itself.
                sleep(REPLENISH).await;
            }
            Err(()) => {
                sleep(wait).await;
                wait = (wait * 2).min(RETRY.1);
            }
        }
    }
}

/// One step towards a full pool; whether there was anything to do.
async fn fill(shared: &Shared, target: usize) -> Result<bool, ()> {
    let (removing, warm) = {
        let map = shared.displays.lock();
        let of = |owner: Owner| {
            map.iter()
                .filter(move |(_, d)| d.owner == owner)
                .map(|(id, _)| *id)
        };
        (
            of(Owner::Removing).collect::<Vec<_>>(),
            of(Owner::Warm).count(),
        )
    };
    for id in &removing {
        if let Err(error) = remove(shared, *id).await {
            tracing::warn!(display_id = %id, %error, "a display cannot be removed");
            return Err(());
        }
    }
    if warm >= target {
        shared.solved(Problem::Displays);
        return Ok(!removing.is_empty());
    }
    let image = &shared.config.display_image;
    if let Err(problem) = shared.images.ensure(shared, image).await {
        shared.problem(Problem::DisplayImage, problem);
        return Err(());
    }
    shared.solved(Problem::DisplayImage);
    let id = DisplayId::new();
    let shm_size = shared.config.shm_size;
    let new = Display {
        owner: Owner::Making,
        shm_size,
        since: Instant::now(),
    };
    shared.displays.lock().insert(id, new);
    let made = bring_up(shared, id, shm_size).await;
    let owner = if made.is_ok() {
        Owner::Warm
    } else {
        Owner::Removing
    };
    shared.displays.lock().insert(
        id,
        Display {
            owner,
            shm_size,
            since: Instant::now(),
        },
    );
    match made {
        Ok(()) => {
            shared.solved(Problem::Displays);
            shared.tell(crate::state::Change::Report);
            Ok(true)
        }
        Err(error) => {
            if !matches!(&error, DisplayError::Engine(error) if error.transient()) {
                shared.problem(Problem::Displays, error.failure(image.as_str()));
            }
            let _ = remove(shared, id).await;
            Err(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn displays() -> (tempfile::TempDir, Displays) {
        let root = tempfile::tempdir().unwrap();
        let displays = Displays::new(root.path().to_owned());
        (root, displays)
    }

    fn warm(displays: &Displays, shm_size: Bytes) -> DisplayId {
        let id = DisplayId::new();
        make_dir(&displays.dir(id)).unwrap();
        displays.lock().insert(
            id,
            Display {
                owner: Owner::Warm,
                shm_size,
                since: Instant::now(),
            },
        );
        id
    }

    #[test]
    fn a_warm_display_is_taken_once() {
        let (_root, displays) = displays();
        let id = warm(&displays, Bytes::mib(512));
        let session = SessionId::new();
        assert_eq!(displays.take(session, Bytes::mib(512)), Some(id));
        assert_eq!(displays.take(SessionId::new(), Bytes::mib(1)), None);
        assert_eq!(displays.of(session), Some(id));
        assert_eq!(displays.session(id), Some(session));
        let claim = fs::read_to_string(displays.dir(id).join(CLAIM_FILE)).unwrap();
        assert_eq!(claim, session.to_string());
    }

    #[test]
    fn the_claim_file_decides() {
        let (_root, displays) = displays();
        let id = warm(&displays, Bytes::mib(512));
        claim(&displays.dir(id), SessionId::new()).unwrap();
        assert_eq!(displays.take(SessionId::new(), Bytes::mib(1)), None);
    }

    #[test]
    fn too_little_shared_memory_is_not_taken() {
        let (_root, displays) = displays();
        warm(&displays, Bytes::mib(512));
        assert_eq!(displays.take(SessionId::new(), Bytes::mib(513)), None);
    }

    #[test]
    fn the_directory_lets_uid_1000_in_and_marks_stay() {
        let (_root, displays) = displays();
        let id = displays.make_claimed(SessionId::new(), Bytes(0)).unwrap();
        let mode = |path: &str| {
            fs::metadata(displays.dir(id).join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode("x11"), mode("stream")), (0o777, 0o777));
        displays.mark_stopped(id, true).unwrap();
        assert!(displays.is_stopped(id));
        displays.mark_stopped(id, false).unwrap();
        displays.mark_stopped(id, false).unwrap();
        assert!(!displays.is_stopped(id));
        displays.mark_removing(id).unwrap();
        assert!(displays.is_removing(id));
        displays.mark_removing(DisplayId::new()).unwrap();
    }
}
