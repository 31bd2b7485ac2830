//! Stream tickets: the server's word that a browser may open one stream, signed so that a gateway
//! needs no database (JWT, RFC 7519, with Ed25519, RFC 8037). Short-lived; the gateway takes each
//! once.

use crate::agent::Access;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use porthole_model::ids::{AgentId, LoginId, SessionId, StreamId, UserId};
use serde::{Deserialize, Serialize};

/// How long a ticket may be used, in seconds.
pub const LIFETIME: u64 = 30;

const AUDIENCE: &str = "porthole-gateway";

/// What a ticket grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The stream; also the ticket's id, so that it is used once.
    #[serde(rename = "jti")]
    pub stream_id: StreamId,
    /// When the ticket ends, in seconds since 1970.
    pub exp: u64,
    /// The session.
    pub session_id: SessionId,
    /// Where it runs.
    pub agent_id: AgentId,
    /// Who looks.
    #[serde(rename = "sub")]
    pub user_id: UserId,
    /// By which sign-in; `None` for an API key acting for the user.
    pub login_id: Option<LoginId>,
    /// What the viewer may do.
    pub access: Access,
    /// Whether text may go from the session's clipboard to the browser.
    pub clipboard_down: bool,
    /// Whether text may go from the browser to the session's clipboard.
    pub clipboard_up: bool,
    /// The largest text in bytes that may go to the browser's clipboard.
    pub clipboard_down_max: u32,
    /// The largest text in bytes that may go to the session's clipboard.
    pub clipboard_up_max: u32,
    /// Milliseconds between two texts in the same direction; 0 for none.
    pub clipboard_delay: u32,
    /// Seconds without input after which the stream is closed; 0 for never.
    pub idle_disconnect: u32,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    #[serde(flatten)]
    grant: Grant,
}

/// Signs tickets.
pub struct Signer(EncodingKey);

/// Checks tickets.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

/// A ticket that grants nothing.
#[derive(Debug, thiserror::Error)]
#[error("the ticket is not valid: {0}")]
pub struct BadTicket(#[from] jsonwebtoken::errors::Error);

impl Signer {
    /// From a private key in PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Self {
        Self(EncodingKey::from_ed_der(der))
    }

    /// Signs a grant.
    ///
    /// # Errors
    /// When the key is not an Ed25519 key.
    pub fn sign(&self, grant: Grant) -> Result<String, BadTicket> {
        let claims = Claims {
            aud: AUDIENCE.into(),
            grant,
        };
        Ok(jsonwebtoken::encode(
            &Header::new(Algorithm::EdDSA),
            &claims,
            &self.0,
        )?)
    }
}

impl Verifier {
    /// From the raw 32 bytes of a public key.
    pub fn from_public_key(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Self {
            key: DecodingKey::from_ed_der(key),
            validation,
        }
    }

    /// Reads a ticket's grant.
    ///
    /// # Errors
    /// When it is not signed by our key, has expired, or is not a ticket.
    pub fn verify(&self, ticket: &str) -> Result<Grant, BadTicket> {
        Ok(
            jsonwebtoken::decode::<Claims>(ticket, &self.key, &self.validation)?
                .claims
                .grant,
        )
    }
}
