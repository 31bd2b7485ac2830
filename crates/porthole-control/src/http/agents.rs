//! Agents.

use super::{Context, Json, Path, Query, client::Client, list::List};
use crate::{AppError, Control, app::agents::AgentState};
use axum::{Extension, extract::State, http::StatusCode};
use porthole_model::{
    ids::AgentId,
    resources::{Bytes, MilliCores, Resources},
    session::Failure,
};
use porthole_wire::agent::{ImageReport, PullReport};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A container host. Sizes and loads are of the last report; zero before the first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Agent {
    /// The id.
    pub id: AgentId,
    /// The name.
    pub name: String,
    /// The host's name.
    pub hostname: String,
    /// Whether the server hears of it.
    pub connected: bool,
    /// Whether new sessions may be placed on it.
    pub enabled: bool,
    /// Whether it runs inside the server.
    pub local: bool,
    /// The agent's program version.
    pub version: String,
    /// The container engine.
    pub engine: String,
    /// What it offers to sessions.
    pub offered: ResourceSize,
    /// What sessions hold of it.
    pub reserved: ResourceSize,
    /// How many sessions are on it.
    pub sessions: u64,
    /// The host's processor cores.
    pub cores: f64,
    /// Cores in use.
    pub cores_used: f64,
    /// The host's memory in bytes.
    pub memory_bytes: u64,
    /// Memory in use in bytes.
    pub memory_used_bytes: u64,
    /// The disk that holds images and containers, in bytes.
    pub disk_bytes: u64,
    /// Disk space in use in bytes.
    pub disk_used_bytes: u64,
    /// Containers of Porthole on it.
    pub containers: u32,
    /// Displays that are ready and untaken.
    pub warm_displays: u16,
    /// Images that are there.
    pub images: Vec<AgentImage>,
    /// Pulls under way.
    pub pulls: Vec<AgentPull>,
    /// What does not work on the host.
    pub problems: Vec<Failure>,
    /// When it was last heard of.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub last_seen_at: Option<OffsetDateTime>,
}

/// Cores and memory.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceSize {
    /// Processor cores.
    pub cores: f64,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

impl From<Resources> for ResourceSize {
    fn from(resources: Resources) -> Self {
        Self {
            cores: resources.cores.cores(),
            memory_bytes: resources.memory.0,
        }
    }
}

/// An image on a host.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentImage {
    /// Its name with its tag.
    pub image: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}

impl From<&ImageReport> for AgentImage {
    fn from(image: &ImageReport) -> Self {
        Self {
            image: image.image.to_string(),
            size_bytes: image.size.0,
        }
    }
}

/// An image on its way to a host.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentPull {
    /// Its name with its tag.
    pub image: String,
    /// Bytes there.
    pub done_bytes: u64,
    /// Bytes in all, as far as known.
    pub total_bytes: u64,
    /// Why it failed.
    #[schema(required)]
    pub failure: Option<Failure>,
}

impl From<&PullReport> for AgentPull {
    fn from(pull: &PullReport) -> Self {
        Self {
            image: pull.image.to_string(),
            done_bytes: pull.done.0,
            total_bytes: pull.total.0,
            failure: pull.failure.clone(),
        }
    }
}

impl From<AgentState> for Agent {
    fn from(AgentState { load, view }: AgentState) -> Self {
        let agent = load.agent;
        let host = view.as_ref().and_then(|view| view.host.clone());
        let cores = |cores: fn(&porthole_wire::agent::HostReport) -> MilliCores| {
            host.as_ref().map_or(0.0, |host| cores(&host.host).cores())
        };
        let bytes = |bytes: fn(&porthole_wire::agent::HostReport) -> Bytes| {
            host.as_ref().map_or(0, |host| bytes(&host.host).0)
        };
        Self {
            id: agent.id,
            name: agent.name,
            hostname: view
                .as_ref()
                .map_or(agent.hostname, |view| view.hostname.clone()),
            connected: view.as_ref().is_some_and(|view| view.connected),
            enabled: agent.enabled,
            local: agent.local,
            version: view
                .as_ref()
                .map_or(agent.version, |view| view.version.clone()),
            engine: host
                .as_ref()
                .map_or(agent.engine, |host| host.host.engine.clone()),
            offered: host
                .as_ref()
                .map_or(agent.offered, |host| host.host.offered)
                .into(),
            reserved: load.reserved.into(),
            sessions: load.sessions,
            cores: cores(|host| host.cores),
            cores_used: cores(|host| host.cores_used),
            memory_bytes: bytes(|host| host.memory),
            memory_used_bytes: bytes(|host| host.memory_used),
            disk_bytes: bytes(|host| host.disk),
            disk_used_bytes: bytes(|host| host.disk_used),
            containers: host.as_ref().map_or(0, |host| host.host.containers),
            warm_displays: host.as_ref().map_or(0, |host| host.warm_displays),
            images: host
                .iter()
                .flat_map(|h| h.images.iter().map(AgentImage::from))
                .collect(),
            pulls: host
                .iter()
                .flat_map(|h| h.pulls.iter().map(AgentPull::from))
                .collect(),
            problems: host
                .as_ref()
                .map_or_else(Vec::new, |host| host.problems.clone()),
            last_seen_at: view.map(|view| view.heard_at).or(agent.last_seen_at),
        }
    }
}

/// Lists agents by name
#[utoipa::path(get, path = "/agents", operation_id = "listAgents", tag = "agents",
    responses((status = 200, description = "Agents", body = List<Agent>)))]
async fn list_agents(
    State(control): State<Control>,
    Context(context): Context,
) -> Result<Json<List<Agent>>, AppError> {
    let agents = control.agents(&context).await?;
    Ok(Json(List::whole(
        agents.into_iter().map(Agent::from).collect(),
    )))
}

/// A new agent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAgent {
    /// What to call it; unique.
    #[schema(max_length = 64)]
    name: String,
}

/// A new agent with its token, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedAgent {
    /// The agent.
    agent: Agent,
    /// What the agent proves itself with.
    token: String,
    /// What to run on the container host.
    command: String,
}

/// Registers an agent
///
/// The token is shown this once; the command starts the agent on its host.
#[utoipa::path(post, path = "/agents", operation_id = "createAgent", tag = "agents",
    request_body = NewAgent,
    responses((status = 201, description = "The agent with its token this once", body = CreatedAgent)))]
async fn create_agent(
    State(control): State<Control>,
    Context(context): Context,
    Extension(client): Extension<Client>,
    Json(input): Json<NewAgent>,
) -> Result<(StatusCode, Json<CreatedAgent>), AppError> {
    let (agent, token) = control.create_agent(&context, &input.name).await?;
    let server = client.host.as_deref().unwrap_or("SERVER");
    let command = format!(
        "porthole agent --server https://{server} --token {}",
        token.text
    );
    let created = CreatedAgent {
        agent: agent.into(),
        token: token.text,
        command,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Changes of an agent; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AgentPatch {
    /// The name; unique.
    #[schema(max_length = 64)]
    name: Option<String>,
    /// Whether new sessions may be placed on it.
    enabled: Option<bool>,
}

/// Changes an agent
#[utoipa::path(patch, path = "/agents/{id}", operation_id = "updateAgent", tag = "agents",
    params(("id" = AgentId, Path, description = "The agent")),
    request_body = AgentPatch,
    responses((status = 200, description = "The changed agent", body = Agent)))]
async fn update_agent(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<AgentId>,
    Json(input): Json<AgentPatch>,
) -> Result<Json<Agent>, AppError> {
    let agent = control
        .update_agent(&context, id, input.name.as_deref(), input.enabled)
        .await?;
    Ok(Json(agent.into()))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeleteAgent {
    /// Also when sessions are on it; they end.
    #[serde(default)]
    force: bool,
}

/// Removes an agent
///
/// Its token is worth nothing from then on.
#[utoipa::path(delete, path = "/agents/{id}", operation_id = "deleteAgent", tag = "agents",
    params(("id" = AgentId, Path, description = "The agent"), DeleteAgent),
    responses((status = 204, description = "The agent is removed")))]
async fn delete_agent(
    State(control): State<Control>,
    Context(context): Context,
    Path(id): Path<AgentId>,
    Query(query): Query<DeleteAgent>,
) -> Result<StatusCode, AppError> {
    control.delete_agent(&context, id, query.force).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list_agents, create_agent))
        .routes(routes!(update_agent, delete_agent))
}
