//! A hostile agent, and a hostile server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porthole_wire::agent::{AgentMessage, ServerMessage, decode, encode};

fuzz_target!(|text: &str| {
    if let Ok(message) = decode::<AgentMessage>(text) {
        let again = encode(&message).expect("what was read can be written");
        assert_eq!(
            decode::<AgentMessage>(&again).expect("and read again"),
            message
        );
    }
    if let Ok(message) = decode::<ServerMessage>(text) {
        let again = encode(&message).expect("what was read can be written");
        assert_eq!(
            decode::<ServerMessage>(&again).expect("and read again"),
            message
        );
    }
});
