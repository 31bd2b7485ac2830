//! Requests that another site makes a browser send.

use super::Client;
use crate::AppError;
use axum::http::{HeaderMap, Method, Uri, header};

/// Refuses a changing request that stands on a cookie and does not come from our own pages.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata); older ones only
/// send `Origin`, which must then name the host that was asked.
///
/// # Errors
/// [`AppError::Forbidden`] when it comes from elsewhere, or says nothing.
pub(super) fn check(method: &Method, headers: &HeaderMap, client: &Client) -> Result<(), AppError> {
    if method.is_safe() {
        return Ok(());
    }
    let from_us = match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin" || site == "none",
        None => same_origin(headers, client),
    };
    if from_us {
        Ok(())
    } else {
        Err(AppError::forbidden(
            "a request that changes something and is signed in by a cookie must come from Porthole's own \
             pages; programs use the header Authorization: Bearer instead",
        ))
    }
}

fn same_origin(headers: &HeaderMap, client: &Client) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    let authority = origin
        .and_then(|origin| origin.parse::<Uri>().ok())
        .and_then(|origin| origin.authority().cloned());
    match (authority, &client.host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}
