//! What changes, as it changes: server-sent events.
//!
//! Nothing is replayed: each event carries the state that is current when it is sent, and whoever
//! reconnects reads the lists again. A hearer that can not keep up is cut, and does the same.

use super::{Context, Query, sessions::Session};
use crate::{AppError, Audience, Control, Event, RequestContext, Revocation};
use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{
        IntoResponse,
        sse::{self, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use porthole_model::permission::Permission;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StreamEvents {
    /// Everybody's sessions, for administrators; otherwise one's own.
    #[serde(default)]
    all: bool,
}

/// Streams changes
///
/// `session` with the session, `session_gone` with its `id` and the `reason`, `workspaces` and
/// `agents` when those lists changed. A comment every 15 s keeps the connection alive. Read the
/// lists again after each connecting.
#[utoipa::path(get, path = "/events", operation_id = "streamEvents", tag = "sessions",
    params(StreamEvents),
    responses((status = 200, description = "Events", body = String, content_type = "text/event-stream")))]
async fn stream_events(
    State(control): State<Control>,
    Context(context): Context,
    Query(query): Query<StreamEvents>,
) -> Result<impl IntoResponse, AppError> {
    if query.all {
        context.require(Permission::SessionsView)?;
    } else {
        context.require_user()?;
    }
    let hearer = Hearer {
        events: control.events().subscribe(),
        revocations: control.events().subscribe_revocations(),
        control,
        context,
        all: query.all,
    };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15)).text("");
    // Proxies shall pass each event on as it comes.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    let headers = [(header::CACHE_CONTROL, "no-store"), unbuffered];
    Ok((headers, Sse::new(hearer.stream()).keep_alive(keep_alive)))
}

struct Hearer {
    events: Receiver<Event>,
    revocations: Receiver<Revocation>,
    control: Control,
    context: RequestContext,
    all: bool,
}

impl Hearer {
    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut hearer| async move {
            hearer.next().await.map(|event| (Ok(event), hearer))
        })
    }

    /// The next event for this hearer; `None` ends the stream.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            let event = tokio::select! {
                revocation = self.revocations.recv() => match revocation {
                    Ok(revocation) if self.ends(revocation) => return None,
                    Ok(_) => continue,
                    // What was missed may have been meant for this one.
                    Err(_) => return None,
                },
                event = self.events.recv() => match event {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                },
            };
            if matches!(event, Event::Workspaces) && !self.renew_rights().await {
                return None;
            }
            if !self.may_hear(&event) {
                continue;
            }
            match self.show(event).await {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "an event could not be told; the hearer is cut");
                    return None;
                }
            }
        }
    }

    fn ends(&self, revocation: Revocation) -> bool {
        match revocation {
            Revocation::LoginEnded(login) => self.context.login_id() == Some(login),
            Revocation::UserRevoked(user) => self.context.user_id() == Some(user),
            Revocation::SessionEnded(..) => false,
        }
    }

    /// Reads anew what the user may do: whoever changes it sends [`Event::Workspaces`]. Returns
    /// whether they may go on hearing what they asked for.
    async fn renew_rights(&mut self) -> bool {
        if let Some(user) = self.context.user_id() {
            match self.control.store().users().permissions(user).await {
                Ok(permissions) => self.context.permissions = permissions,
                Err(error) => {
                    tracing::warn!(%error, "a hearer's rights could not be read; it is cut");
                    return false;
                }
            }
        }
        !self.all || self.context.may(Permission::SessionsView)
    }

    fn may_hear(&self, event: &Event) -> bool {
        match event.audience() {
            Audience::User(user) => self.all || self.context.user_id() == Some(user),
            Audience::Everybody => true,
            Audience::Administrators => self.context.may(Permission::AgentsView),
        }
    }

    async fn show(&self, event: Event) -> Result<Option<sse::Event>, AppError> {
        let (name, data) = match event {
            Event::Session { session_id, .. } => {
                let session = match self.control.store().sessions().find(session_id).await {
                    Ok(session) => session,
                    // Its end is told by an event of its own.
                    Err(porthole_store::StoreError::NotFound { .. }) => return Ok(None),
                    Err(error) => return Err(error.into()),
                };
                let session = Session::from(self.control.view(session).await?);
                ("session", serde_json::to_value(session))
            }
            Event::SessionGone {
                session_id, reason, ..
            } => (
                "session_gone",
                Ok(serde_json::json!({ "id": session_id, "reason": reason })),
            ),
            Event::Workspaces => ("workspaces", Ok(serde_json::json!({}))),
            Event::Agents => ("agents", Ok(serde_json::json!({}))),
        };
        let data = data.map_err(AppError::internal)?;
        sse::Event::default()
            .event(name)
            .json_data(data)
            .map(Some)
            .map_err(AppError::internal)
    }
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(stream_events))
}
