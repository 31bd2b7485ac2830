//! Containers: of displays and of workspaces.

use super::{CHANGE, Engine, EngineError, LOOK, Result};
use bollard::{
    container::LogOutput,
    models::{
        ContainerCreateBody, ExecConfig, HostConfig, HostConfigLogConfig, RestartPolicy,
        RestartPolicyNameEnum,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
        RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
    },
};
use futures_util::TryStreamExt;
use porthole_model::{
    ids::{AgentId, DisplayId, SessionId},
    image::ImageRef,
    resources::{Bytes, MilliCores, Resources},
};
use porthole_wire::agent::{ExecSpec, SessionSpec};
use std::{collections::HashMap, path::PathBuf, time::Duration};

pub(super) const LABEL_AGENT: &str = "porthole.agent";
const LABEL_ROLE: &str = "porthole.role";
const LABEL_DISPLAY: &str = "porthole.display";
const LABEL_SESSION: &str = "porthole.session";
const LABEL_SPEC: &str = "porthole.spec";

/// What a container of ours is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A display.
    Display(DisplayId),
    /// A workspace, with what it runs and on which display.
    Workspace(Box<SessionSpec>, DisplayId),
    /// Bears this agent's label, and not the others it must have.
    Broken,
}

/// A container with this agent's label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labelled {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The image it was made from, as it was named then.
    pub image: String,
    /// Whether it runs.
    pub running: bool,
}

/// Where a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContainerState {
    /// The engine's id of it.
    pub id: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether it was ever started.
    pub started: bool,
    /// What its first process ended with.
    pub exit_code: i64,
    /// Whether the kernel killed something in it for memory.
    pub oom_killed: bool,
    /// Why it could not be started.
    pub error: String,
}

/// Which limits the engine can set here; those it refuses are left out, with a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub memory: bool,
    pub cpu: bool,
    pub pids: bool,
}

impl Limits {
    pub const ALL: Self = Self {
        memory: true,
        cpu: true,
        pids: true,
    };

    /// Takes away the limit that an error of the engine speaks of; `None` if it speaks of none
    /// that is set.
    pub fn without_refused(self, message: &str) -> Option<(Self, &'static str)> {
        let message = message.to_ascii_lowercase();
        let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if !about(&["cgroup", "limit", "rlimit", "not supported", "support"]) {
            return None;
        }
        if self.pids && about(&["pids"]) {
            Some((
                Self {
                    pids: false,
                    ..self
                },
                "processes",
            ))
        } else if self.cpu && about(&["cpu.", "cpu cfs", "nanocpus", "cpu_", "cfs_quota"]) {
            Some((Self { cpu: false, ..self }, "processor time"))
        } else if self.memory && about(&["memory", "memsw", "swap"]) {
            Some((
                Self {
                    memory: false,
                    ..self
                },
                "memory",
            ))
        } else {
            None
        }
    }
}

/// A display container to make.
#[derive(Debug, Clone)]
pub(crate) struct DisplaySpec {
    pub agent_id: AgentId,
    pub display_id: DisplayId,
    pub image: ImageRef,
    /// Its directory on the host.
    pub dir: PathBuf,
    pub shm_size: Bytes,
    pub memory: Bytes,
    pub max: (u16, u16),
    pub limits: Limits,
}

/// A workspace container to make.
#[derive(Debug, Clone)]
pub(crate) struct WorkspaceSpec<'a> {
    pub agent_id: AgentId,
    pub display_id: DisplayId,
    pub dir: PathBuf,
    pub session: &'a SessionSpec,
    pub network: String,
    /// The host's processors: the engine refuses to give more.
    pub cpus: MilliCores,
    pub pids_limit: u32,
    pub limits: Limits,
}

/// The name of a display's container.
pub(crate) fn display_name(id: DisplayId) -> String {
    format!("porthole-display-{}", id.simple())
}

/// The name of a session's workspace container.
pub(crate) fn workspace_name(id: SessionId) -> String {
    format!("porthole-session-{}", id.simple())
}

/// What both kinds of container have in common: no rights beyond those of an ordinary process.
fn confined() -> HostConfig {
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        // A program that talks much must not fill the host's disk; an end's last lines are enough.
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), "4m".to_owned()),
                ("max-file".to_owned(), "2".to_owned()),
            ])),
        }),
        ..Default::default()
    }
}

fn limit(config: &mut HostConfig, resources: Resources, pids: u32, limits: Limits) {
    if limits.memory && resources.memory.0 > 0 {
        // No swap: a session at its limit must not drag the host's disk along.
        let memory = i64::try_from(resources.memory.0).unwrap_or(i64::MAX);
        config.memory = Some(memory);
        config.memory_swap = Some(memory);
    }
    if limits.cpu && resources.cores.0 > 0 {
        config.nano_cpus = Some(i64::from(resources.cores.0) * 1_000_000);
    }
    if limits.pids {
        config.pids_limit = Some(i64::from(pids));
    }
}

/// The most processes in a display container: X server, streamer, sound.
const DISPLAY_PIDS: u32 = 256;

fn display_body(spec: &DisplaySpec) -> ContainerCreateBody {
    let dir = spec.dir.display();
    let mut host = HostConfig {
        binds: Some(vec![
            format!("{dir}/x11:/tmp/.X11-unix:rw"),
            format!("{dir}/stream:/run/porthole:rw"),
        ]),
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("shareable".to_owned()),
        readonly_rootfs: Some(true),
        shm_size: i64::try_from(spec.shm_size.0).ok(),
        tmpfs: Some(HashMap::from([(
            "/tmp".to_owned(),
            "rw,nosuid,nodev,size=64m,mode=1777".to_owned(),
        )])),
        ..confined()
    };
    let resources = Resources {
        memory: spec.memory,
        ..Default::default()
    };
    limit(&mut host, resources, DISPLAY_PIDS, spec.limits);
    let (width, height) = spec.max;
    ContainerCreateBody {
        image: Some(spec.image.to_string()),
        user: Some("1000:1000".to_owned()),
        env: Some(vec![
            "PORTHOLE_DISPLAY_SOCKET=/run/porthole/display.sock".to_owned(),
            format!("PORTHOLE_DISPLAY_MAX={width}x{height}"),
            "PORTHOLE_DISPLAY_SIZE=1280x720".to_owned(),
            "PORTHOLE_DISPLAY_NAME=Porthole".to_owned(),
        ]),
        labels: Some(HashMap::from([
            (LABEL_AGENT.to_owned(), spec.agent_id.to_string()),
            (LABEL_ROLE.to_owned(), "display".to_owned()),
            (LABEL_DISPLAY.to_owned(), spec.display_id.to_string()),
        ])),
        host_config: Some(host),
        ..Default::default()
    }
}

fn workspace_body(spec: &WorkspaceSpec<'_>) -> Result<ContainerCreateBody> {
    let session = spec.session;
    let mut environment = session.environment.clone();
    environment.insert("DISPLAY".to_owned(), ":1".to_owned());
    for (key, value) in [
        ("KASM_ID", session.session_id.simple()),
        ("KASM_USER", session.username.clone()),
        ("KASM_USER_ID", session.user_id.simple()),
    ] {
        environment.entry(key.to_owned()).or_insert(value);
    }
    let mut host = HostConfig {
        // Read-only keeps the socket's directory as it is; connecting needs no write to it.
        binds: Some(vec![format!(
            "{}/x11:/tmp/.X11-unix:ro",
            spec.dir.display()
        )]),
        network_mode: Some(spec.network.clone()),
        ipc_mode: Some(format!("container:{}", display_name(spec.display_id))),
        init: Some(true),
        ..confined()
    };
    let mut resources = session.resources;
    resources.cores = resources.cores.min(spec.cpus);
    limit(&mut host, resources, spec.pids_limit, spec.limits);
    let label = serde_json::to_string(session).map_err(|error| {
        EngineError::Refused(format!("the session cannot be labelled: {error}"))
    })?;
    Ok(ContainerCreateBody {
        image: Some(session.image.to_string()),
        hostname: Some(hostname(&session.workspace_name)),
        env: Some(
            environment
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
        ),
        labels: Some(HashMap::from([
            (LABEL_AGENT.to_owned(), spec.agent_id.to_string()),
            (LABEL_ROLE.to_owned(), "workspace".to_owned()),
            (LABEL_DISPLAY.to_owned(), spec.display_id.to_string()),
            (LABEL_SESSION.to_owned(), session.session_id.to_string()),
            (LABEL_SPEC.to_owned(), label),
        ])),
        host_config: Some(host),
        ..Default::default()
    })
}

/// A workspace's name as a host name (RFC 1123): letters, digits and hyphens, up to 32.
fn hostname(name: &str) -> String {
    let mut host = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            host.push(c.to_ascii_lowercase());
        } else if !host.is_empty() && !host.ends_with('-') {
            host.push('-');
        }
        if host.len() == 32 {
            break;
        }
    }
    let host = host.trim_end_matches('-');
    if host.is_empty() {
        "workspace".to_owned()
    } else {
        host.to_owned()
    }
}

fn kind(labels: &HashMap<String, String>) -> Kind {
    let display = labels.get(LABEL_DISPLAY).and_then(|id| id.parse().ok());
    let role = labels.get(LABEL_ROLE).map(String::as_str);
    match (role, display) {
        (Some("display"), Some(display)) => Kind::Display(display),
        (Some("workspace"), Some(display)) => labels
            .get(LABEL_SPEC)
            .and_then(|spec| serde_json::from_str::<SessionSpec>(spec).ok())
            .filter(|spec| {
                labels
                    .get(LABEL_SESSION)
                    .is_some_and(|id| *id == spec.session_id.to_string())
            })
            .map_or(Kind::Broken, |spec| {
                Kind::Workspace(Box::new(spec), display)
            }),
        _ => Kind::Broken,
    }
}

impl Engine {
    /// Makes a display's container; one of that name that is there is no error.
    pub async fn create_display(&self, spec: &DisplaySpec) -> Result<()> {
        self.create(display_name(spec.display_id), display_body(spec))
            .await?;
        Ok(())
    }

    /// Makes a workspace's container; one of that name that is there is no error, and its id is not
    /// told.
    pub async fn create_workspace(&self, spec: &WorkspaceSpec<'_>) -> Result<Option<String>> {
        self.create(
            workspace_name(spec.session.session_id),
            workspace_body(spec)?,
        )
        .await
    }

    async fn create(&self, name: String, body: ContainerCreateBody) -> Result<Option<String>> {
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let made = self
            .call("making a container", CHANGE, |c| async move {
                c.create_container(Some(options), body).await
            })
            .await;
        match made {
            Ok(made) => {
                for warning in made.warnings {
                    tracing::debug!(container = name, warning, "the engine warns");
                }
                Ok(Some(made.id))
            }
            Err(EngineError::Conflict(message)) if message.contains("name") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts a container; one that runs is no error.
    pub async fn start(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.call("starting a container", CHANGE, |c| async move {
            c.start_container(&name, None).await
        })
        .await
    }

    /// Asks a container to end and kills it after `patience`; one that does not run, or is not
    /// there, is no error.
    pub async fn stop(&self, name: &str, patience: Duration) -> Result<()> {
        let name = name.to_owned();
        let seconds = i32::try_from(patience.as_secs()).unwrap_or(10);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self
            .call("stopping a container", CHANGE + patience, |c| async move {
                c.stop_container(&name, Some(options)).await
            })
            .await;
        match stopped {
            Err(EngineError::NotFound(_)) => Ok(()),
            stopped => stopped,
        }
    }

    /// Kills and removes a container with its anonymous volumes; one that is not there is no
    /// error.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let owned = name.to_owned();
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let removed = self
            .call("removing a container", CHANGE, |c| async move {
                c.remove_container(&owned, Some(options)).await
            })
            .await;
        match removed {
            Err(EngineError::NotFound(_)) => Ok(()),
            // Somebody else removes it at this moment: that is what we want, once it is done.
            Err(EngineError::Conflict(message)) if message.contains("in progress") => {
                self.gone(name).await
            }
            removed => removed,
        }
    }

    async fn gone(&self, name: &str) -> Result<()> {
        for _ in 0..50 {
            if self.inspect(name).await?.is_none() {
                return Ok(());
            }
            // The engine has no call that awaits this for a container that does not run.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(EngineError::TimedOut("removing a container"))
    }

    /// Where a container is; `None` where there is none.
    pub async fn inspect(&self, name: &str) -> Result<Option<ContainerState>> {
        let name = name.to_owned();
        let found = self
            .call("looking at a container", LOOK, |c| async move {
                c.inspect_container(&name, None).await
            })
            .await;
        let found = match found {
            Err(EngineError::NotFound(_)) => return Ok(None),
            found => found?,
        };
        let state = found.state.unwrap_or_default();
        let status = state
            .status
            .map(|status| status.to_string())
            .unwrap_or_default();
        Ok(Some(ContainerState {
            id: found.id.unwrap_or_default(),
            running: state.running.unwrap_or_default(),
            started: !matches!(status.as_str(), "created" | "configured" | "initialized"),
            exit_code: state.exit_code.unwrap_or_default(),
            oom_killed: state.oom_killed.unwrap_or_default(),
            error: state.error.unwrap_or_default(),
        }))
    }

    /// All containers with this agent's label.
    pub async fn labelled(&self, agent_id: AgentId) -> Result<Vec<Labelled>> {
        let label = format!("{LABEL_AGENT}={agent_id}");
        let filters = HashMap::from([("label", vec![label.as_str()])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let list = self
            .call("listing containers", LOOK, |c| async move {
                c.list_containers(Some(options)).await
            })
            .await?;
        let named = list.into_iter().filter_map(|container| {
            let name = container.names?.into_iter().next()?;
            Some(Labelled {
                name: name.trim_start_matches('/').to_owned(),
                kind: kind(&container.labels.unwrap_or_default()),
                image: container.image.unwrap_or_default(),
                running: container
                    .state
                    .is_some_and(|state| state.to_string() == "running"),
            })
        });
        Ok(named.collect())
    }

    /// The end of a container's log; empty where the engine keeps none.
    pub async fn log_tail(&self, name: &str) -> String {
        const MAX: usize = 64 * 1024;
        let name = name.to_owned();
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail("20")
            .build();
        let log = self
            .call("reading a log", LOOK, |c| async move {
                c.logs(&name, Some(options))
                    .map_ok(LogOutput::into_bytes)
                    .try_fold(Vec::new(), |mut log, bytes| async move {
                        if log.len() < MAX {
                            log.extend_from_slice(&bytes);
                        }
                        Ok(log)
                    })
                    .await
            })
            .await;
        log.map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Starts a command in a container and does not wait for its end.
    pub async fn exec(&self, name: &str, exec: ExecSpec) -> Result<()> {
        let name = name.to_owned();
        let environment = exec
            .environment
            .into_iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let config = ExecConfig {
            cmd: Some(exec.cmd),
            env: Some(environment),
            working_dir: exec.workdir,
            user: exec.user,
            privileged: Some(exec.privileged),
            ..Default::default()
        };
        self.call("running a command", CHANGE, |c| async move {
            let made = c.create_exec(&name, config).await?;
            let options = bollard::exec::StartExecOptions {
                detach: true,
                ..Default::default()
            };
            c.start_exec(&made.id, Some(options)).await.map(|_| ())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::{
        ids::{UserId, WorkspaceId},
        protection::Protection,
    };

    fn session() -> SessionSpec {
        SessionSpec {
            session_id: SessionId::new(),
            user_id: UserId::new(),
            username: "user@kasm.local".into(),
            workspace_id: WorkspaceId::new(),
            workspace_name: "My Terminal (äö)".into(),
            image: "porthole/terminal:1.0".parse().unwrap(),
            resources: Resources {
                cores: MilliCores(1500),
                memory: Bytes::mib(512),
            },
            shm_size: Bytes::mib(512),
            environment: [("TZ".into(), "UTC".into()), ("DISPLAY".into(), ":7".into())].into(),
            width: 1280,
            height: 720,
            protection: Protection::default(),
        }
    }

    fn workspace(session: &SessionSpec, limits: Limits) -> WorkspaceSpec<'_> {
        WorkspaceSpec {
            agent_id: AgentId::new(),
            display_id: DisplayId::new(),
            dir: "/run/porthole/displays/x".into(),
            session,
            network: "porthole-sessions".into(),
            cpus: MilliCores(2000),
            pids_limit: 2048,
            limits,
        }
    }

    #[test]
    fn a_workspace_is_confined_and_limited() {
        let session = session();
        let body = workspace_body(&workspace(&session, Limits::ALL)).unwrap();
        let host = body.host_config.unwrap();
        assert_eq!(host.cap_drop, Some(vec!["ALL".into()]));
        assert_eq!(host.security_opt, Some(vec!["no-new-privileges".into()]));
        assert_eq!(
            (host.memory, host.memory_swap),
            (Some(512 << 20), Some(512 << 20))
        );
        assert_eq!(host.nano_cpus, Some(1_500_000_000));
        let mut large = session.clone();
        large.resources.cores = MilliCores(4000);
        let body = workspace_body(&workspace(&large, Limits::ALL)).unwrap();
        assert_eq!(body.host_config.unwrap().nano_cpus, Some(2_000_000_000));
        assert_eq!(host.pids_limit, Some(2048));
        assert_eq!(host.privileged, None);
        assert_eq!(body.hostname.as_deref(), Some("my-terminal"));
        let env = body.env.unwrap();
        assert!(env.contains(&"DISPLAY=:1".into()) && !env.contains(&"DISPLAY=:7".into()));
        assert!(env.contains(&format!("KASM_ID={}", session.session_id.simple())));
    }

    #[test]
    fn labels_tell_everything_back() {
        let session = session();
        let spec = workspace(&session, Limits::ALL);
        let mut labels = workspace_body(&spec).unwrap().labels.unwrap();
        assert_eq!(
            kind(&labels),
            Kind::Workspace(Box::new(session.clone()), spec.display_id)
        );
        labels.insert(LABEL_SESSION.into(), SessionId::new().to_string());
        assert_eq!(kind(&labels), Kind::Broken);
        assert_eq!(kind(&HashMap::new()), Kind::Broken);
    }

    #[test]
    fn limits_go_one_by_one() {
        let (limits, what) = Limits::ALL
            .without_refused(
                "failed to write to memory.memsw.limit_in_bytes: cgroup: operation not permitted",
            )
            .unwrap();
        assert_eq!(
            (limits, what),
            (
                Limits {
                    memory: false,
                    ..Limits::ALL
                },
                "memory"
            )
        );
        let (limits, _) = limits
            .without_refused("Your kernel does not support pids limit")
            .unwrap();
        assert_eq!(
            limits,
            Limits {
                memory: false,
                pids: false,
                cpu: true
            }
        );
        assert_eq!(Limits::ALL.without_refused("no such image"), None);
        assert_eq!(limits.without_refused("cgroup: memory"), None);
    }

    #[test]
    fn host_names() {
        assert_eq!(hostname("Ubuntu -- 24.04!"), "ubuntu-24-04");
        assert_eq!(hostname("日本"), "workspace");
        assert_eq!(hostname(&"a".repeat(99)).len(), 32);
    }
}
