//! A hostile viewer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porthole_rfb::client::{ClientError, ClientLimits, ClientMessage, ClientParser, Parsed};
use porthole_rfb::clipboard::Clipboard;

const LIMITS: ClientLimits = ClientLimits {
    cut_text: 4096,
    encodings: 256,
};

fn parse(
    mut parser: ClientParser,
    stream: &[u8],
    piece: usize,
) -> (Vec<Parsed>, Option<ClientError>) {
    let mut all = Vec::new();
    for bytes in stream.chunks(piece) {
        parser.push(bytes);
        loop {
            match parser.next_message() {
                Ok(Some(parsed)) => all.push(parsed),
                Ok(None) => break,
                Err(error) => return (all, Some(error)),
            }
        }
        // A text up to its limit, a list of encodings, or one message of fixed size.
        assert!(parser.buffered() <= 8 + 4096);
    }
    (all, None)
}

fuzz_target!(|data: &[u8]| {
    let [mode, piece, stream @ ..] = data else {
        return;
    };
    let new = || {
        if mode & 1 == 0 {
            ClientParser::new(LIMITS)
        } else {
            ClientParser::after_handshake(LIMITS)
        }
    };
    let (all, error) = parse(new(), stream, stream.len().max(1));
    let split = parse(new(), stream, usize::from(*piece).max(1));
    assert!(split.0 == all && split.1 == error);
    // What is passed on is what was sent, except for what is skipped.
    let skips = all.iter().any(|parsed| parsed.raw.is_empty());
    let raw: Vec<u8> = all
        .iter()
        .flat_map(|parsed| parsed.raw.iter().copied())
        .collect();
    assert!(skips || stream.starts_with(&raw));

    let mut written = Vec::new();
    let mut expected = Vec::new();
    for Parsed { message, .. } in all {
        if let ClientMessage::Clipboard(Clipboard::Provide(provided)) = &message {
            if let Ok(Some(text)) = provided.text(10_000) {
                assert!(text.len() <= 10_000);
            }
        }
        // Caps are written back with text only.
        if matches!(
            message,
            ClientMessage::Clipboard(Clipboard::Caps(_)) | ClientMessage::Oversized { .. }
        ) {
            continue;
        }
        message.write(true, &mut written);
        expected.push(message);
    }
    let (again, error) = parse(new(), &written, written.len().max(1));
    // Buttons are written in the extended form, which is only read where it was announced.
    let plain = |message: &ClientMessage| !matches!(message, ClientMessage::Pointer { .. });
    if expected.iter().all(plain) {
        assert_eq!(error, None);
        let again: Vec<ClientMessage> = again.into_iter().map(|parsed| parsed.message).collect();
        assert_eq!(again, expected);
    }
});
