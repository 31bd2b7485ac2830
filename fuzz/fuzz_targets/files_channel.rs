//! A hostile session, whose helper is not ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porthole_files::{
    frame::{Frame, Frames, HEADER, MAX_PAYLOAD},
    message::{Reply, Request},
};

fuzz_target!(|bytes: &[u8]| {
    let mut frames = Frames::default();
    for piece in bytes.chunks(7) {
        frames.push(piece);
        while let Ok(Some(frame)) = frames.next_frame() {
            assert!(frame.encode().len() <= HEADER + MAX_PAYLOAD);
            let Frame::Message(json) = frame else {
                continue;
            };
            if let Ok(reply) = serde_json::from_slice::<Reply>(&json) {
                let again = serde_json::to_vec(&reply).expect("what was read can be written");
                let again = serde_json::from_slice::<Reply>(&again).expect("and read again");
                assert_eq!(again, reply);
            }
            let _ = serde_json::from_slice::<Request>(&json);
        }
    }
});
