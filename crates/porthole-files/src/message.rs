//! Messages: what the gateway asks, and what the helper answers. One request at a time.

use crate::{frame::Frame, path::HomePath};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What the gateway asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// What a folder holds: [`Reply::Entries`], as often as it takes, then [`Frame::End`].
    List {
        /// The folder.
        path: HomePath,
    },
    /// A file's contents: [`Reply::File`], then [`Frame::Data`] with exactly what is between
    /// `offset` and the size told, at most `limit` bytes, then [`Frame::End`].
    Read {
        /// The file.
        path: HomePath,
        /// Where to begin, in bytes.
        offset: u64,
        /// The most bytes to send.
        limit: u64,
    },
    /// How much there is of an upload: [`Reply::Offset`].
    Upload {
        /// Which.
        id: UploadId,
    },
    /// More of an upload: [`Reply::Ready`]; then the gateway sends [`Frame::Data`] and, when it has
    /// no more, [`Frame::End`]; then [`Reply::Offset`], or [`Reply::Stored`] when the file is whole.
    Append {
        /// Which.
        id: UploadId,
        /// Where the file shall be, below the folder for uploads.
        path: HomePath,
        /// The whole file's size in bytes.
        size: u64,
        /// How much there is already, in bytes.
        offset: u64,
        /// When the file was last changed, in milliseconds since 1970.
        modified_ms: Option<u64>,
    },
    /// Removes what there is of an upload: [`Reply::Offset`] of 0.
    Discard {
        /// Which.
        id: UploadId,
    },
}

/// What the helper answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Reply {
    /// Some of a folder's entries.
    Entries {
        /// In no order.
        entries: Vec<Entry>,
    },
    /// A file's facts.
    File {
        /// Its size in bytes.
        size: u64,
        /// When it was last changed, in milliseconds since 1970.
        modified_ms: u64,
    },
    /// How much there is of an upload, in bytes.
    Offset {
        /// See above.
        offset: u64,
    },
    /// Contents may come.
    Ready,
    /// The upload is whole.
    Stored {
        /// Where: a name that was taken got a number.
        path: HomePath,
    },
    /// It does not work. Where contents were under way, no more come.
    Failed(Fault),
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, as a path of one name.
    pub name: HomePath,
    /// What it is; of a link, what it leads to.
    pub kind: EntryKind,
    /// Whether it is a symbolic link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link: bool,
    /// A file's size in bytes.
    pub size: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub modified_ms: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Anything else: a socket, a device, a link to nowhere.
    Other,
}

/// Why something does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// What failed, for people.
    pub detail: String,
    /// How much there is of the upload, where that is the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// There is no such file or folder.
    NotFound,
    /// It is no regular file, or no folder.
    WrongKind,
    /// The session's user may not.
    Denied,
    /// The disk, or the user's share of it, is full.
    NoSpace,
    /// The upload stands elsewhere than the request says.
    Offset,
    /// Somebody else writes to this upload at this moment.
    Busy,
    /// Anything else.
    Failed,
}

/// Names an upload across connections: 32 hexadecimal digits that the browser chose.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadId(String);

/// A text that is no upload's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an upload's id is 32 hexadecimal digits in lower case")]
pub struct InvalidUploadId;

impl UploadId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 32 && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUploadId)
        }
    }
}

impl TryFrom<String> for UploadId {
    type Error = InvalidUploadId;

    fn try_from(text: String) -> Result<Self, InvalidUploadId> {
        text.parse()
    }
}

impl From<UploadId> for String {
    fn from(id: UploadId) -> Self {
        id.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message as a frame.
///
/// # Errors
/// When it cannot be written as JSON; all of ours can.
pub fn frame<T: Serialize>(message: &T) -> Result<Frame, serde_json::Error> {
    serde_json::to_vec(message).map(Frame::Message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_round_trip() {
        let request = Request::Append {
            id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            path: HomePath::from_bytes(b"a folder/caf\xe9\n").unwrap(),
            size: u64::MAX,
            offset: 1,
            modified_ms: None,
        };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
        for bad in ["", "../../etc", "0123456789ABCDEF0123456789ABCDEF"] {
            assert!(bad.parse::<UploadId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,300}") {
            let _ = serde_json::from_str::<Request>(&text);
            let _ = serde_json::from_str::<Reply>(&text);
            let _ = text.parse::<UploadId>();
        }
    }
}
