//! Downloads of one file.

use super::{
    Visitor,
    audit::Transfer,
    channel::{Channel, ChannelError, Lease},
    pass::Pass,
    problem::Problem,
    sniff,
};
use axum::{
    Json,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use porthole_files::{message::Request, path::HomePath};
use porthole_model::{
    files::{Direction, Refusal, TransferOutcome},
    resources,
};
use serde_json::json;
use std::{io, sync::Arc, sync::atomic::Ordering::Relaxed};
use tokio::{sync::mpsc, time::timeout};

/// Pieces that wait for the browser, at most.
const AHEAD: usize = 2;

/// A file whose first bytes were seen.
pub(super) struct Seen {
    pub size: u64,
    pub modified_ms: u64,
    pub head: Vec<u8>,
    pub media_type: &'static str,
}

/// Looks at a file's first bytes.
pub(super) async fn look(channel: &mut Channel, path: &HomePath) -> Result<Seen, ChannelError> {
    let (size, modified_ms) = channel
        .read(&Request::Read {
            path: path.clone(),
            offset: 0,
            limit: sniff::HEAD as u64,
        })
        .await?;
    let mut head = Vec::new();
    while let Some(bytes) = channel.data().await? {
        head.extend_from_slice(&bytes);
        if head.len() > sniff::HEAD {
            return Err(ChannelError::Language("more than was asked for".into()));
        }
    }
    let media_type = sniff::media_type(&head);
    Ok(Seen {
        size,
        modified_ms,
        head,
        media_type,
    })
}

/// Judges what is known of a file, its type where that was seen.
pub(super) fn judge(
    pass: &Pass,
    path: &HomePath,
    size: u64,
    media_type: Option<&str>,
) -> Result<(), Refusal> {
    let rules = &pass.rules.download;
    let size = resources::Bytes(size);
    rules.judge(Direction::Download, &path.display_name(), size)?;
    media_type.map_or(Ok(()), |media_type| rules.judge_type(media_type))
}

/// The bytes of a file that are asked for: from the first to before the second number.
fn range(headers: &HeaderMap, tag: &str, size: u64) -> Result<Option<(u64, u64)>, Problem> {
    let text = |name: &header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(range) = text(&header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    // Of another version of the file nothing is gone on with.
    if text(&header::IF_RANGE).is_some_and(|known| known != tag) {
        return Ok(None);
    }
    let Some((first, last)) = range.split_once('-') else {
        return Ok(None);
    };
    let parse = |text: &str| text.trim().parse::<u64>().ok();
    let (start, end) = match (parse(first), parse(last)) {
        (Some(start), Some(last)) if last >= start => (start, last.saturating_add(1).min(size)),
        (Some(start), None) if last.trim().is_empty() => (start, size),
        (None, Some(last)) if first.trim().is_empty() => (size.saturating_sub(last), size),
        // Several ranges, or none that makes sense: the whole file answers that.
        _ => return Ok(None),
    };
    if start >= size {
        return Err(Problem::range(size));
    }
    Ok(Some((start, end)))
}

/// `GET …/content?path=`; with `check` only what would come of it.
pub(super) async fn content(
    visitor: Visitor,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = visitor.path()?;
    let pass = visitor.pass.clone();
    if let Err(refusal) = judge(&pass, &path, 0, None) {
        return Err(refuse(&pass, &path, 0, None, refusal).await);
    }
    let (lease, seen) = pass
        .unless_ended(async {
            let mut lease = pass.channel().await?;
            match look(&mut lease.channel, &path).await {
                Ok(seen) => Ok((lease, seen)),
                failed => {
                    pass.channels.keep_after(lease, &failed);
                    Err(failed.err().unwrap_or(ChannelError::Gone).into())
                }
            }
        })
        .await?;
    let (size, media_type) = (seen.size, seen.media_type);
    if let Err(refusal) = judge(&pass, &path, size, Some(media_type)) {
        pass.channels.keep(lease);
        return Err(refuse(&pass, &path, size, Some(media_type), refusal).await);
    }
    if visitor.parameter("check").is_some() || method == Method::HEAD {
        pass.channels.keep(lease);
        return Ok(Json(json!({ "size": size, "media_type": media_type })).into_response());
    }
    let tag = format!("\"{:x}-{size:x}\"", seen.modified_ms);
    let part = match range(&headers, &tag, size) {
        Ok(part) => part,
        Err(problem) => {
            pass.channels.keep(lease);
            return Err(problem);
        }
    };
    let (start, end) = part.unwrap_or((0, size));
    let mut response = attachment(&path.display_name());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if part.is_some() {
        let text = format!("bytes {start}-{}/{size}", end - 1);
        if let Ok(text) = HeaderValue::from_str(&text) {
            headers.insert(header::CONTENT_RANGE, text);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let (out, body) = body(&visitor);
    *response.body_mut() = body;
    pass.gateway.tasks.spawn(async move {
        let mut transfer = Transfer::new(Direction::Download, path.display(), size);
        transfer.media_type = Some(media_type.to_owned());
        let sent = {
            let send = send(&out, lease, &path, &seen, start..end, &mut transfer.bytes);
            out.pass.unless_ended(send).await
        };
        let (outcome, detail) = match sent {
            Ok(()) => (TransferOutcome::Completed, None),
            Err(problem) => {
                let detail = out.fail(problem).await;
                (TransferOutcome::Interrupted, Some(detail))
            }
        };
        out.pass.record(transfer, outcome, detail).await;
    });
    Ok(response)
}

/// Records that a download was refused, and says so.
pub(super) async fn refuse(
    pass: &Pass,
    path: &HomePath,
    size: u64,
    media_type: Option<&str>,
    refusal: Refusal,
) -> Problem {
    let mut transfer = Transfer::new(Direction::Download, path.display(), size);
    transfer.media_type = media_type.map(Into::into);
    let rule = Some(refusal.to_string());
    pass.record(transfer, TransferOutcome::Refused, rule).await;
    Problem::refused(refusal)
}

async fn send(
    out: &Out,
    mut lease: Lease,
    path: &HomePath,
    seen: &Seen,
    wanted: std::ops::Range<u64>,
    sent: &mut u64,
) -> Result<(), Problem> {
    let head = seen.head.len() as u64;
    if wanted.start < head {
        let piece = &seen.head[wanted.start as usize..head.min(wanted.end) as usize];
        out.send(Bytes::copy_from_slice(piece)).await?;
        *sent += piece.len() as u64;
    }
    let from = wanted.start.max(head);
    if from < wanted.end {
        let mut rest = Rest::read(&mut lease.channel, path, seen, from, wanted.end).await?;
        while let Some(bytes) = rest.next().await? {
            let len = bytes.len() as u64;
            out.send(bytes.into()).await?;
            *sent += len;
        }
    }
    out.pass.channels.keep(lease);
    Ok(())
}

/// The rest of a file whose first bytes were seen.
pub(super) struct Rest<'a> {
    channel: &'a mut Channel,
    left: u64,
}

fn changed() -> Problem {
    Problem::unavailable("the file was changed while it was read; try again")
}

impl<'a> Rest<'a> {
    /// Begins to read it, from one place to before another.
    pub async fn read(
        channel: &'a mut Channel,
        path: &HomePath,
        seen: &Seen,
        from: u64,
        to: u64,
    ) -> Result<Self, Problem> {
        let left = to - from;
        let request = Request::Read {
            path: path.clone(),
            offset: from,
            limit: left,
        };
        if channel.read(&request).await? == (seen.size, seen.modified_ms) {
            Ok(Self { channel, left })
        } else {
            Err(changed())
        }
    }

    /// The next piece; `None` when all of it was read.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        match self.channel.data().await? {
            Some(bytes) => {
                let left = self.left.checked_sub(bytes.len() as u64);
                self.left = left.ok_or_else(changed)?;
                Ok(Some(bytes))
            }
            None if self.left == 0 => Ok(None),
            None => Err(changed()),
        }
    }
}

/// An answer that browsers store and never show.
pub(super) fn attachment(name: &str) -> Response {
    let mut response = Body::empty().into_response();
    let headers = response.headers_mut();
    let plain: String = name
        .chars()
        .map(|c| match c {
            ' '..='~' if !matches!(c, '"' | '\\' | '%') => c,
            _ => '_',
        })
        .collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Where a download's bytes go. Holds the pass while it lasts.
pub(super) struct Out {
    pub pass: Arc<Pass>,
    _using: super::Using,
    send: mpsc::Sender<io::Result<Bytes>>,
}

impl Out {
    /// Sends bytes; waits for a browser that reads slowly, but not for one that reads nothing.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Problem> {
        let len = bytes.len() as u64;
        let sent = timeout(self.pass.gateway.config.stall, self.send.send(Ok(bytes))).await;
        match sent {
            Ok(Ok(())) => {
                self.pass.live.bytes_down.fetch_add(len, Relaxed);
                Ok(())
            }
            Ok(Err(_)) => Err(Problem::unavailable("the browser closed it")),
            Err(_) => Err(Problem::unavailable(
                "the browser took nothing for too long",
            )),
        }
    }

    /// Breaks the answer off, so that nobody takes a part for the whole; gives why.
    pub async fn fail(&self, problem: Problem) -> String {
        let text = problem.detail().to_owned();
        let error = io::Error::other(text.clone());
        let _ = timeout(self.pass.gateway.config.stall, self.send.send(Err(error))).await;
        text
    }
}

/// A body and what fills it.
pub(super) fn body(visitor: &Visitor) -> (Out, Body) {
    let (send, receive) = mpsc::channel(AHEAD);
    let stream = futures_util::stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|item| (item, receive))
    });
    let out = Out {
        pass: visitor.pass.clone(),
        _using: visitor.using.again(),
        send,
    };
    (out, Body::from_stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranged(text: &str) -> Result<Option<(u64, u64)>, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, text.parse().unwrap());
        range(&headers, "\"t\"", 100).map_err(|_| 416)
    }

    #[test]
    fn ranges() {
        assert_eq!(ranged("bytes=0-"), Ok(Some((0, 100))));
        assert_eq!(ranged("bytes=10-19"), Ok(Some((10, 20))));
        assert_eq!(ranged("bytes=90-200"), Ok(Some((90, 100))));
        assert_eq!(ranged("bytes=-10"), Ok(Some((90, 100))));
        assert_eq!(ranged("bytes=100-"), Err(416));
        for whole in ["bytes=5-1", "bytes=0-1,5-6", "lines=1-2", "bytes=x-"] {
            assert_eq!(ranged(whole), Ok(None), "{whole}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=5-".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"other\"".parse().unwrap());
        assert!(matches!(range(&headers, "\"t\"", 100), Ok(None)));
    }

    #[test]
    fn names_cannot_leave_their_header() {
        let response = attachment("a\"b\r\nSet-Cookie: x; ä.txt");
        let value = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert!(
            !value.contains('\n') && value.contains("%C3%A4%2Etxt"),
            "{value}"
        );
    }

    proptest! {
        #[test]
        fn a_range_lies_within_the_file(text in "[0-9,= -]{0,30}") {
            if let Ok(Some((start, end))) = ranged(&format!("bytes={text}")) {
                prop_assert!(start < end && end <= 100);
            }
        }
    }
}
