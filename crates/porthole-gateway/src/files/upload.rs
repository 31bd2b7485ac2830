//! Uploads: each in as many requests as it takes, from where the last one ended.

use super::{
    Visitor,
    audit::Transfer,
    channel::{Channel, ChannelError},
    pass::Pass,
    problem::Problem,
    sniff,
};
use axum::extract::Path;
use axum::{
    Json,
    body::{Body, BodyDataStream},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use porthole_files::{
    message::{Reply, Request, UploadId},
    path::HomePath,
};
use porthole_model::{
    files::{Direction, Refusal, TransferOutcome},
    resources,
};
use serde::Serialize;
use std::{collections::HashMap, sync::atomic::Ordering::Relaxed};
use tokio::time::timeout;

/// Where an upload stands.
#[derive(Serialize)]
struct Standing {
    /// How much of it is there, in bytes.
    offset: u64,
    /// Where it is, once it is whole; the name may have got a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<HomePath>,
}

fn standing(offset: u64, path: Option<HomePath>) -> Response {
    let standing = Standing { offset, path };
    ([(header::CACHE_CONTROL, "no-store")], Json(standing)).into_response()
}

fn upload_id(path: &HashMap<String, String>) -> Result<UploadId, Problem> {
    path.get("upload_id")
        .map(String::as_str)
        .unwrap_or_default()
        .parse()
        .map_err(|error: porthole_files::message::InvalidUploadId| {
            Problem::bad_request(error.to_string())
        })
}

fn allowed(pass: &Pass) -> Result<(), Problem> {
    if pass.rules.upload.allowed {
        return Ok(());
    }
    Err(Problem::refused(Refusal::Direction {
        direction: Direction::Upload,
    }))
}

/// `GET …/uploads/{id}`
pub(super) async fn offset(
    visitor: Visitor,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let pass = &visitor.pass;
    allowed(pass)?;
    let id = upload_id(&path)?;
    ask(pass, &Request::Upload { id }).await
}

/// `DELETE …/uploads/{id}`
pub(super) async fn discard(
    visitor: Visitor,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let pass = &visitor.pass;
    allowed(pass)?;
    let id = upload_id(&path)?;
    let answer = ask(pass, &Request::Discard { id: id.clone() }).await?;
    let known = pass.uploads().remove(&id);
    if let Some(transfer) = known {
        pass.record(transfer, TransferOutcome::Cancelled, None)
            .await;
    }
    Ok(answer)
}

async fn ask(pass: &Pass, request: &Request) -> Result<Response, Problem> {
    pass.unless_ended(async {
        let mut lease = pass.channel().await?;
        let answer = lease.channel.ask(request).await;
        pass.channels.keep_after(lease, &answer);
        match answer? {
            Reply::Offset { offset } => Ok(standing(offset, None)),
            _ => Err(Problem::unavailable("an answer to something else")),
        }
    })
    .await
}

/// `PUT …/uploads/{id}?path=&size=&offset=&modified=`: the bytes from `offset` on, as many as the
/// body has.
pub(super) async fn append(
    visitor: Visitor,
    Path(path): Path<HashMap<String, String>>,
    body: Body,
) -> Result<Response, Problem> {
    let pass = &visitor.pass;
    let id = upload_id(&path)?;
    let target = visitor.path()?;
    let size = visitor
        .number("size")?
        .ok_or_else(|| Problem::bad_request("size: the file's size is needed"))?;
    let offset = visitor.number("offset")?.unwrap_or(0);
    let modified_ms = visitor.number("modified")?;
    if target.is_home() || offset > size {
        return Err(Problem::bad_request(
            "path and offset: a file's name and a place in it are needed",
        ));
    }
    let known = pass.uploads().get(&id).cloned();
    let mut transfer = known.unwrap_or_else(|| {
        let path = format!("{}/{}", porthole_files::UPLOADS, target.display());
        Transfer::new(Direction::Upload, path, size)
    });
    transfer.bytes = offset;
    let rules = &pass.rules.upload;
    let size_of = resources::Bytes(size);
    if let Err(refusal) = rules.judge(Direction::Upload, &target.display_name(), size_of) {
        return Err(refuse(pass, &id, transfer, refusal).await);
    }
    let mut body = Limited {
        stream: body.into_data_stream(),
        left: size - offset,
        stall: pass.gateway.config.stall,
    };
    let mut head = Bytes::new();
    if offset == 0 {
        // Nothing goes on before the type is known.
        let wanted = usize::try_from(size)
            .unwrap_or(sniff::HEAD)
            .min(sniff::HEAD);
        head = pass.unless_ended(body.gather(wanted)).await?;
        if head.len() < wanted {
            return Ok(standing(0, None));
        }
        let media_type = sniff::media_type(&head);
        transfer.media_type = Some(media_type.to_owned());
        if let Err(refusal) = rules.judge_type(media_type) {
            return Err(refuse(pass, &id, transfer, refusal).await);
        }
    }
    let request = Request::Append {
        id: id.clone(),
        path: target,
        size,
        offset,
        modified_ms,
    };
    let done = pass
        .unless_ended(async {
            let mut lease = pass.channel().await?;
            let sent = send(
                pass,
                &mut lease.channel,
                &request,
                &id,
                &mut transfer,
                head,
                body,
            )
            .await;
            pass.channels.keep_after(lease, &sent);
            Ok(sent)
        })
        .await?;
    match done {
        Ok(Reply::Stored { path }) => {
            pass.uploads().remove(&id);
            transfer.bytes = size;
            transfer.path = path.display();
            pass.record(transfer, TransferOutcome::Completed, None)
                .await;
            Ok(standing(size, Some(path)))
        }
        Ok(Reply::Offset { offset }) => Ok(standing(offset, None)),
        Ok(_) => Err(Problem::unavailable("an answer to something else")),
        Err(ChannelError::Fault(fault)) => {
            let again = matches!(
                fault.kind,
                porthole_files::message::FaultKind::Offset
                    | porthole_files::message::FaultKind::Busy
            );
            if !again {
                pass.uploads().remove(&id);
                let detail = Some(fault.detail.clone());
                pass.record(transfer, TransferOutcome::Failed, detail).await;
            }
            Err(fault.into())
        }
        // What is there stays; the page goes on with it.
        Err(error) => Err(error.into()),
    }
}

async fn refuse(pass: &Pass, id: &UploadId, transfer: Transfer, refusal: Refusal) -> Problem {
    pass.uploads().remove(id);
    let rule = Some(refusal.to_string());
    pass.record(transfer, TransferOutcome::Refused, rule).await;
    Problem::refused(refusal)
}

async fn send(
    pass: &Pass,
    channel: &mut Channel,
    request: &Request,
    id: &UploadId,
    transfer: &mut Transfer,
    head: Bytes,
    mut body: Limited,
) -> Result<Reply, ChannelError> {
    match channel.ask(request).await? {
        Reply::Ready => {}
        _ => return Err(ChannelError::Language("no word that it is ready".into())),
    }
    pass.uploads().insert(id.clone(), transfer.clone());
    let mut next = Some(head).filter(|head| !head.is_empty());
    loop {
        let bytes = match next.take() {
            Some(bytes) => bytes,
            None => match body.next().await {
                Some(bytes) => bytes,
                None => break,
            },
        };
        channel.put(&bytes).await?;
        transfer.bytes += bytes.len() as u64;
        pass.live.bytes_up.fetch_add(bytes.len() as u64, Relaxed);
        if let Some(known) = pass.uploads().get_mut(id) {
            known.bytes = transfer.bytes;
        }
    }
    channel.finish().await
}

/// A body, no longer than the file. Where it breaks it ends: what came is kept.
struct Limited {
    stream: BodyDataStream,
    left: u64,
    stall: std::time::Duration,
}

impl Limited {
    async fn next(&mut self) -> Option<Bytes> {
        if self.left == 0 {
            return None;
        }
        let mut bytes = timeout(self.stall, self.stream.next()).await.ok()??.ok()?;
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        Some(bytes)
    }

    /// At least so many bytes, unless there are fewer.
    async fn gather(&mut self, wanted: usize) -> Result<Bytes, Problem> {
        let mut head = BytesMut::new();
        while head.len() < wanted {
            match self.next().await {
                Some(bytes) => head.extend_from_slice(&bytes),
                None => break,
            }
        }
        Ok(head.freeze())
    }
}
