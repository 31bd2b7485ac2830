//! The key pair behind stream tickets.
//!
//! Tickets live for seconds and gateways run in this process, so the pair is made anew at every
//! start and its private half is never written down.

use aws_lc_rs::{
    error::Unspecified,
    signature::{Ed25519KeyPair, KeyPair},
};
use porthole_wire::ticket::{BadTicket, Grant, Signer, Verifier};
use std::sync::OnceLock;

/// Signs stream tickets.
#[derive(Default)]
pub struct Tickets(OnceLock<Pair>);

struct Pair {
    signer: Signer,
    public: Vec<u8>,
}

/// Why a ticket can not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The system gave no random key.
    #[error("no key for stream tickets could be made")]
    NoKey,
    /// The ticket could not be signed.
    #[error(transparent)]
    Ticket(#[from] BadTicket),
}

impl From<Unspecified> for SigningError {
    fn from(_: Unspecified) -> Self {
        Self::NoKey
    }
}

impl Tickets {
    /// Signs a grant.
    ///
    /// # Errors
    /// When the system gives no random key.
    pub fn sign(&self, grant: Grant) -> Result<String, SigningError> {
        Ok(self.pair()?.signer.sign(grant)?)
    }

    /// What checks the tickets of this server.
    ///
    /// # Errors
    /// When the system gives no random key.
    pub fn verifier(&self) -> Result<Verifier, SigningError> {
        Ok(Verifier::from_public_key(&self.pair()?.public))
    }

    fn pair(&self) -> Result<&Pair, SigningError> {
        if let Some(pair) = self.0.get() {
            return Ok(pair);
        }
        let key = Ed25519KeyPair::generate()?;
        let pkcs8 = key.to_pkcs8v1()?;
        let signer = Signer::from_pkcs8(pkcs8.as_ref());
        let public = key.public_key().as_ref().to_vec();
        Ok(self.0.get_or_init(|| Pair { signer, public }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::ids::{AgentId, SessionId, StreamId, UserId};
    use porthole_wire::agent::Access;

    #[test]
    fn a_ticket_is_good_for_this_server_alone() {
        let exp = time::OffsetDateTime::now_utc().unix_timestamp() as u64 + 30;
        let grant = Grant {
            stream_id: StreamId::new(),
            exp,
            session_id: SessionId::new(),
            agent_id: AgentId::new(),
            user_id: UserId::new(),
            login_id: None,
            access: Access::Control,
            clipboard_down: true,
            clipboard_up: false,
            clipboard_down_max: 1,
            clipboard_up_max: 1,
            clipboard_delay: 0,
            idle_disconnect: 0,
        };
        let tickets = Tickets::default();
        let ticket = tickets.sign(grant.clone()).unwrap();
        assert_eq!(tickets.verifier().unwrap().verify(&ticket).unwrap(), grant);
        assert!(
            Tickets::default()
                .verifier()
                .unwrap()
                .verify(&ticket)
                .is_err()
        );
    }
}
