//! Out of a request: who asks, and what with. Every rejection is an [`AppError`] that names the field.

use super::{Client, csrf, router::BODY_LIMIT};
use crate::{Actor, AppError, Control, FieldError, RequestContext};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;

/// The cookie that holds a sign-in's token. The prefix makes browsers refuse it from anywhere but
/// this very host over HTTPS (RFC 6265bis, section 4.1.3.2).
pub(crate) const COOKIE: &str = "__Host-porthole";

/// The request's context, signed in. Answers 401 otherwise.
#[derive(Debug, Clone)]
pub struct Context(pub RequestContext);

/// The request's context where nobody needs to be signed in; a login it carries is not looked at.
#[derive(Debug, Clone)]
pub struct Anonymous(pub RequestContext);

/// Who sent this request.
///
/// # Errors
/// [`AppError::Internal`] outside the control plane's router.
pub(crate) fn client(parts: &Parts) -> Result<&Client, AppError> {
    parts
        .extensions
        .get::<Client>()
        .ok_or_else(|| AppError::internal("a request did not pass through the router"))
}

/// A context of nobody.
pub(crate) fn nobody(client: &Client) -> RequestContext {
    RequestContext {
        actor: Actor::Nobody,
        permissions: BTreeSet::new(),
        ip: client.ip,
        request_id: client.request_id.clone(),
    }
}

/// The credentials in the headers, checked.
///
/// # Errors
/// [`AppError::Unauthenticated`] when there are none or they are not good (any more), and
/// [`AppError::Forbidden`] when a cookie comes with a request from another site.
pub(crate) async fn authenticate(
    control: &Control,
    parts: &Parts,
) -> Result<RequestContext, AppError> {
    let client = client(parts)?;
    let nobody = nobody(client);
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let (scheme, credentials) = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .ok_or(AppError::Unauthenticated)?;
        let credentials = credentials.trim();
        return if scheme.eq_ignore_ascii_case("bearer") {
            control.context_of_token(nobody, credentials).await
        } else if scheme.eq_ignore_ascii_case("basic") {
            let pair = BASE64_STANDARD
                .decode(credentials)
                .map_err(|_| AppError::Unauthenticated)?;
            let pair = String::from_utf8(pair).map_err(|_| AppError::Unauthenticated)?;
            let (key, secret) = pair.split_once(':').ok_or(AppError::Unauthenticated)?;
            control.context_of_api_key(nobody, key, secret).await
        } else {
            Err(AppError::Unauthenticated)
        };
    }
    let token = cookie(&parts.headers).ok_or(AppError::Unauthenticated)?;
    let context = control.context_of_token(nobody, token).await?;
    csrf::check(&parts.method, &parts.headers, client)?;
    Ok(context)
}

/// The token in the cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

impl FromRequestParts<Control> for Context {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, AppError> {
        authenticate(control, parts).await.map(Self)
    }
}

impl FromRequestParts<Control> for Anonymous {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Control) -> Result<Self, AppError> {
        let client = client(parts)?;
        // Signing somebody in from another site's page is refused as well.
        if parts
            .headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "cross-site")
        {
            csrf::check(&parts.method, &parts.headers, client)?;
        }
        Ok(Self(nobody(client)))
    }
}

/// A JSON body, in or out.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| {
                let kind = kind.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/json")
            });
        if !json {
            return Err(AppError::NotJson);
        }
        read_json(&body(request, state).await?).map(Self)
    }
}

/// The whole body, within the limit.
///
/// # Errors
/// [`AppError::TooLarge`], or [`AppError::BadRequest`] when it breaks off.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, AppError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(e) if e.status() == 413 => {
                AppError::TooLarge { limit: BODY_LIMIT }
            }
            other => AppError::BadRequest(format!("the body could not be read: {other}")),
        })
}

/// JSON text as a value.
///
/// # Errors
/// [`AppError::BadRequest`] for what is not JSON, [`AppError::Invalid`] naming the field for JSON of
/// another shape.
pub(crate) fn read_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, AppError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let message = inner.to_string();
                // The position in the text tells nobody anything once the field is named.
                let message = message
                    .split(" at line ")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let field = match path.as_str() {
                    "." => named_in(&message).unwrap_or("body").to_owned(),
                    _ => path,
                };
                AppError::Invalid(vec![FieldError { field, message }])
            }
            _ => AppError::BadRequest(format!("the body is not valid JSON: {inner}")),
        }
    })?;
    json.end()
        .map_err(|e| AppError::BadRequest(format!("the body is not valid JSON: {e}")))?;
    Ok(value)
}

/// The field that serde names in backticks, as in "missing field `name`".
fn named_in(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// A path's parameters.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|e| {
                AppError::BadRequest(format!("the path can not be read: {}", e.body_text()))
            })
    }
}

/// The parameters after the question mark.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|query| Self(query.0))
            .map_err(|e| {
                AppError::BadRequest(format!("the query can not be read: {}", e.body_text()))
            })
    }
}
