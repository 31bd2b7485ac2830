//! A compatible call: its arguments, and who makes it.

use crate::{
    AppError, Control, RequestContext,
    http::{authenticate, body, client, nobody, read_json},
};
use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use serde::{Deserialize, de::DeserializeOwned};

/// The arguments of a compatible call, and the context of the API key in its body or of the login
/// in its headers. Unknown members of the body are ignored, as those clients expect.
#[derive(Debug, Clone)]
pub struct Call<T> {
    /// Who calls.
    pub context: RequestContext,
    /// The body without the credentials.
    pub arguments: T,
}

#[derive(Default, Deserialize)]
struct Credentials {
    api_key: Option<String>,
    api_key_secret: Option<String>,
    token: Option<String>,
}

impl<T: DeserializeOwned> FromRequest<Control> for Call<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, control: &Control) -> Result<Self, AppError> {
        let (parts, stream) = request.into_parts();
        let text = body(Request::from_parts(parts.clone(), stream), control).await?;
        let text: &[u8] = if text.trim_ascii().is_empty() {
            b"{}"
        } else {
            &text
        };
        let credentials: Credentials = read_json(text)?;
        let in_headers = parts.headers.contains_key(header::AUTHORIZATION);
        let context = match credentials {
            Credentials {
                api_key: Some(key),
                api_key_secret: Some(secret),
                ..
            } => {
                control
                    .context_of_api_key(nobody(client(&parts)?), &key, &secret)
                    .await?
            }
            Credentials {
                token: Some(token), ..
            } if !in_headers => {
                control
                    .context_of_token(nobody(client(&parts)?), &token)
                    .await?
            }
            _ => authenticate(control, &parts).await?,
        };
        Ok(Self {
            context,
            arguments: read_json(text)?,
        })
    }
}
