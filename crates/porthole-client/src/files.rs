//! A session's files, in and out.

use crate::{ClientError, api::Client};
use porthole_model::ids::SessionId;
use serde::Deserialize;
use serde_json::json;

/// A session's files, opened. Paths are below the session's home, percent-encoded.
pub struct Files {
    client: Client,
    url: String,
}

/// Where an upload stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// How much of it is there, in bytes.
    pub offset: u64,
    /// Where it is, once it is whole.
    pub path: Option<String>,
}

#[derive(Deserialize)]
struct Ticket {
    url: String,
    ticket: String,
}

#[derive(Deserialize)]
struct Pass {
    pass: String,
}

impl Files {
    /// Opens them.
    ///
    /// # Errors
    /// When the session does not run, or one may not have its files.
    pub async fn open(client: &Client, session: SessionId) -> Result<Self, ClientError> {
        let path = format!("/api/v1/sessions/{session}/files");
        let Ticket { url, ticket } = client.post(&path, json!({})).await?;
        let Pass { pass } = client.post(&url, json!({ "ticket": ticket })).await?;
        Ok(Self {
            client: client.clone().with_token(&pass),
            url,
        })
    }

    /// Uploads the bytes from `offset` on of a file of `size` bytes. `upload` names it across
    /// connections: 32 hexadecimal digits.
    ///
    /// # Errors
    /// When a rule refuses it, or the session cannot take it.
    pub async fn upload(
        &self,
        upload: &str,
        path: &str,
        size: u64,
        offset: u64,
        bytes: Vec<u8>,
    ) -> Result<Standing, ClientError> {
        let path = format!(
            "{}/uploads/{upload}?path={path}&size={size}&offset={offset}",
            self.url
        );
        let request = self.client.http().put(self.client.url(&path)).body(bytes);
        let answer = self.client.send("PUT", &path, request).await?;
        serde_json::from_value(answer).map_err(|error| ClientError::Answer {
            path,
            error: error.to_string(),
        })
    }

    /// How much there is of an upload.
    ///
    /// # Errors
    /// When the session does not answer.
    pub async fn standing(&self, upload: &str) -> Result<Standing, ClientError> {
        let path = format!("{}/uploads/{upload}", self.url);
        self.client.get(&path).await
    }

    /// A file's contents.
    ///
    /// # Errors
    /// When a rule refuses it, or there is no such file.
    pub async fn download(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("{}/content?path={path}", self.url);
        self.client.bytes(&path).await
    }
}
