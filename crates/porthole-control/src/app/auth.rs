//! Signing in and out, and what a token or an API key stands for.

use crate::{AppError, Control, RequestContext};

/// Counts failures.
#[derive(Debug, Default)]
pub struct Throttle {}

impl Control {
    /// The context of a request that carries this token.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when the token is not good.
    pub async fn context_of_token(&self, _nobody: RequestContext, _token: &str) -> Result<RequestContext, AppError> {
        Err(AppError::Unauthenticated)
    }

    /// The context of a request that carries this API key.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when key or secret is not good.
    pub async fn context_of_api_key(&self, _nobody: RequestContext, _key: &str, _secret: &str) -> Result<RequestContext, AppError> {
        Err(AppError::Unauthenticated)
    }
}
