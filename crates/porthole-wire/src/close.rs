//! Why a browser's stream ends: WebSocket close codes (RFC 6455, section 7.4.2: 4000 to 4999 are
//! for applications) with the reason that the viewer shows.

/// A reason to end a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The ticket is missing, expired, used, or not ours. A new one helps.
    #[error("the ticket is not valid any more")]
    BadTicket,
    /// The right to this session was withdrawn: signed out, locked, or no longer allowed.
    #[error("access was withdrawn")]
    Revoked,
    /// There is no such session.
    #[error("the session does not exist")]
    NoSession,
    /// The session was stopped.
    #[error("the session was stopped")]
    Stopped,
    /// The session was deleted.
    #[error("the session has ended")]
    Ended,
    /// Nobody did anything in the viewer for as long as policy allows. The session goes on.
    #[error("nothing was done for a while")]
    Idle,
    /// The viewer broke the protocol.
    #[error("the viewer sent something that is not RFB")]
    Protocol,
    /// The viewer read too slowly for too long.
    #[error("the connection is too slow")]
    TooSlow,
    /// The display did not answer. Trying again may help.
    #[error("the display does not answer")]
    DisplayLost,
    /// The session's agent is not connected. Trying again may help.
    #[error("the agent is not connected")]
    AgentLost,
    /// The server is going down. Trying again helps.
    #[error("the server restarts")]
    GoingAway,
}

impl CloseReason {
    /// The WebSocket close code.
    pub const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::BadTicket => 4401,
            Self::Revoked => 4403,
            Self::NoSession => 4404,
            Self::TooSlow => 4408,
            Self::Stopped => 4409,
            Self::Ended => 4410,
            Self::Idle => 4411,
            Self::DisplayLost => 4502,
            Self::AgentLost => 4503,
        }
    }

    /// Whether the viewer should try again by itself, with a new ticket.
    pub const fn retry(self) -> bool {
        matches!(
            self,
            Self::GoingAway | Self::BadTicket | Self::TooSlow | Self::DisplayLost | Self::AgentLost
        )
    }
}
