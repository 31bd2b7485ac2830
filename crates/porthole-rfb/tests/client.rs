//! What a viewer sends: written and parsed, split anywhere, whole or broken.
#![allow(missing_docs)]

use bytes::Bytes;
use porthole_rfb::{
    Encoding, PixelFormat, Rect, Screen,
    client::{ClientError, ClientLimits, ClientMessage, ClientParser, fence, kind},
    clipboard::{Caps, Clipboard, ClipboardError, Provided, flags},
    handshake::{HandshakeError, Progress, SERVER_VERSION, ServerHandshake, ServerInit, Version},
};
use proptest::prelude::*;

fn rect() -> impl Strategy<Value = Rect> {
    any::<(u16, u16, u16, u16)>().prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..=max).prop_map(Bytes::from)
}

fn format() -> impl Strategy<Value = PixelFormat> {
    any::<(u8, u8, bool, bool, u16, u16, u16, u8, u8, u8)>().prop_map(|field| PixelFormat {
        bits_per_pixel: field.0,
        depth: field.1,
        big_endian: field.2,
        true_colour: field.3,
        red_max: field.4,
        green_max: field.5,
        blue_max: field.6,
        red_shift: field.7,
        green_shift: field.8,
        blue_shift: field.9,
    })
}

fn clipboard() -> impl Strategy<Value = Clipboard> {
    let formats = 0_u32..=flags::FORMATS;
    prop_oneof![
        any::<u32>().prop_map(|text| Clipboard::Caps(Caps::ours(text))),
        formats
            .clone()
            .prop_map(|formats| Clipboard::Request { formats }),
        Just(Clipboard::Peek),
        formats
            .clone()
            .prop_map(|formats| Clipboard::Notify { formats }),
        (formats, bytes(40))
            .prop_map(|(formats, deflated)| Clipboard::Provide(Provided { formats, deflated })),
    ]
}

fn message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        format().prop_map(ClientMessage::SetPixelFormat),
        prop::collection::vec(any::<i32>().prop_map(Encoding), 0..20).prop_map(|mut list| {
            list.push(Encoding::EXTENDED_MOUSE_BUTTONS);
            ClientMessage::SetEncodings(list)
        }),
        (any::<bool>(), rect()).prop_map(|(incremental, area)| {
            ClientMessage::FramebufferUpdateRequest { incremental, area }
        }),
        any::<(bool, u32)>().prop_map(|(down, keysym)| ClientMessage::Key { down, keysym }),
        (0_u16..512, any::<u16>(), any::<u16>())
            .prop_map(|(buttons, x, y)| ClientMessage::Pointer { buttons, x, y }),
        bytes(100).prop_map(ClientMessage::CutText),
        clipboard().prop_map(ClientMessage::Clipboard),
        (any::<bool>(), rect())
            .prop_map(|(enable, area)| ClientMessage::EnableContinuousUpdates { enable, area }),
        (any::<u32>(), bytes(fence::MAX_PAYLOAD))
            .prop_map(|(flags, payload)| ClientMessage::Fence { flags, payload }),
        (
            any::<u16>(),
            any::<u16>(),
            prop::collection::vec((any::<u32>(), rect(), any::<u32>()), 0..4)
        )
            .prop_map(|(width, height, screens)| {
                let screens = screens
                    .into_iter()
                    .map(|(id, area, flags)| Screen { id, area, flags })
                    .collect();
                ClientMessage::SetDesktopSize {
                    width,
                    height,
                    screens,
                }
            }),
        any::<(bool, u32, u32)>().prop_map(|(down, keysym, keycode)| ClientMessage::QemuKey {
            down,
            keysym,
            keycode
        }),
    ]
}

/// Pushes pieces of these lengths in turn, and takes all messages after each.
fn parse(
    mut parser: ClientParser,
    stream: &[u8],
    pieces: &[usize],
) -> (Vec<(ClientMessage, Bytes)>, Option<ClientError>) {
    let mut messages = Vec::new();
    let mut rest = stream;
    let mut pieces = pieces.iter().cycle();
    loop {
        loop {
            match parser.next_message() {
                Ok(Some(parsed)) => messages.push((parsed.message, parsed.raw)),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        if rest.is_empty() {
            return (messages, None);
        }
        let piece = pieces.next().map_or(1, |&piece| piece.clamp(1, rest.len()));
        parser.push(&rest[..piece]);
        rest = &rest[piece..];
    }
}

proptest! {
    #[test]
    fn messages_survive_any_split(
        list in prop::collection::vec(message(), 1..12),
        pieces in prop::collection::vec(1_usize..80, 1..10),
    ) {
        let mut all = vec![
            ClientMessage::ProtocolVersion(Version::V8),
            ClientMessage::SecurityType(1),
            ClientMessage::ClientInit { shared: true },
            ClientMessage::SetEncodings(vec![Encoding::EXTENDED_MOUSE_BUTTONS]),
        ];
        all.extend(list);
        let mut stream = Vec::new();
        let mut raws = Vec::new();
        for message in &all {
            let start = stream.len();
            message.write(true, &mut stream);
            raws.push(stream[start..].to_vec());
        }
        let (parsed, error) = parse(ClientParser::new(ClientLimits::default()), &stream, &pieces);
        prop_assert_eq!(error, None);
        let (messages, parsed_raws): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
        prop_assert_eq!(messages, all);
        prop_assert_eq!(parsed_raws, raws);
    }

    #[test]
    fn any_bytes_give_the_same_however_split(
        tail in prop::collection::vec(any::<u8>(), 0..400),
        kinds in prop::collection::vec(prop::sample::select(&[0_u8, 2, 3, 4, 5, 6, 150, 248, 251, 255][..]), 0..20),
        pieces in prop::collection::vec(1_usize..40, 1..10),
    ) {
        // Known message types sown in, or the first byte would end nearly every run.
        let mut stream = tail;
        for (index, kind) in kinds.iter().enumerate() {
            if let Some(byte) = stream.get_mut(index * 17) {
                *byte = *kind;
            }
        }
        let limits = ClientLimits { cut_text: 64, encodings: 8 };
        let whole = parse(ClientParser::after_handshake(limits), &stream, &[usize::MAX]);
        let split = parse(ClientParser::after_handshake(limits), &stream, &pieces);
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn nothing_panics_from_the_first_byte(stream in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = parse(ClientParser::new(ClientLimits::default()), &stream, &[7]);
    }

    #[test]
    fn text_survives(text in "[a-zäöü€\n ]{0,200}") {
        let Clipboard::Provide(provided) = Clipboard::provide(&text) else { panic!() };
        prop_assert_eq!(provided.text(4096).unwrap().unwrap(), text);
    }

    #[test]
    fn provided_bytes_never_panic(formats: u32, deflated in bytes(100)) {
        let _ = Provided { formats, deflated }.text(1000);
    }
}

#[test]
fn a_text_over_the_limit_is_skipped_without_memory() {
    let limits = ClientLimits {
        cut_text: 100,
        ..ClientLimits::default()
    };
    for len in [1_000_000_i32, -1_000_000] {
        let mut parser = ClientParser::after_handshake(limits);
        let mut stream = vec![6, 0, 0, 0];
        stream.extend(len.to_be_bytes());
        parser.push(&stream);
        let parsed = parser.next_message().unwrap().unwrap();
        let oversized = ClientMessage::Oversized {
            kind: kind::CLIENT_CUT_TEXT,
            len: 1_000_000,
        };
        assert_eq!(parsed.message, oversized);
        assert!(parsed.raw.is_empty());
        for _ in 0..1000 {
            parser.push(&[6; 1000]);
            assert_eq!(parser.next_message().unwrap(), None);
            assert_eq!(parser.buffered(), 0);
        }
        // The next message is whole.
        parser.push(&[4, 1, 0, 0, 0, 0, 0, 65]);
        let key = ClientMessage::Key {
            down: true,
            keysym: 65,
        };
        assert_eq!(parser.next_message().unwrap().unwrap().message, key);
    }
}

#[test]
fn the_largest_negative_length_is_one() {
    let mut parser = ClientParser::after_handshake(ClientLimits::default());
    parser.push(&[6, 0, 0, 0, 0x80, 0, 0, 0]);
    let parsed = parser.next_message().unwrap().unwrap();
    assert_eq!(
        parsed.message,
        ClientMessage::Oversized {
            kind: kind::CLIENT_CUT_TEXT,
            len: 1 << 31
        }
    );
}

#[test]
fn bit_7_of_the_buttons_is_the_eighth_without_the_extension() {
    let mut parser = ClientParser::after_handshake(ClientLimits::default());
    parser.push(&[5, 0x81, 0, 1, 0, 2]);
    let plain = ClientMessage::Pointer {
        buttons: 0x81,
        x: 1,
        y: 2,
    };
    assert_eq!(parser.next_message().unwrap().unwrap().message, plain);
    parser.push(&[2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xc4, 5, 0x81, 0, 1, 0, 2, 2]);
    parser.next_message().unwrap().unwrap();
    let extended = ClientMessage::Pointer {
        buttons: 0x101,
        x: 1,
        y: 2,
    };
    assert_eq!(parser.next_message().unwrap().unwrap().message, extended);
}

#[test]
fn what_is_no_rfb_is_told_at_once_and_again() {
    let mut parser = ClientParser::new(ClientLimits::default());
    parser.push(b"GE");
    assert_eq!(parser.next_message(), Err(ClientError::Version));
    parser.push(&[0; 1000]);
    assert_eq!(parser.buffered(), 0);
    assert_eq!(parser.next_message(), Err(ClientError::Version));
    let mut parser = ClientParser::after_handshake(ClientLimits::default());
    parser.push(&[77]);
    assert_eq!(parser.next_message(), Err(ClientError::UnknownType(77)));
}

#[test]
fn versions() {
    for (text, version) in [
        (b"RFB 003.003\n", Some(Version::V3)),
        (b"RFB 003.005\n", Some(Version::V3)),
        (b"RFB 003.007\n", Some(Version::V7)),
        (b"RFB 003.008\n", Some(Version::V8)),
        (b"RFB 003.889\n", Some(Version::V8)),
        (b"RFB 004.001\n", Some(Version::V8)),
        (b"RFB 002.009\n", None),
        (b"RFB 003 008\n", None),
        (b"RFB 00x.008\n", None),
    ] {
        assert_eq!(Version::parse(text), version, "{text:?}");
    }
}

#[test]
fn the_handshake_in_each_version() {
    let init = ServerInit {
        width: 800,
        height: 600,
        format: PixelFormat::BGRX,
        name: "Desktop".into(),
    };
    for (version, choice, expected) in [
        (Version::V8, &[1][..], &[&[1, 1][..], &[0, 0, 0, 0]][..]),
        (Version::V7, &[1], &[&[1, 1], &[]]),
        (Version::V3, &[], &[&[0, 0, 0, 1]]),
    ] {
        let mut parser = ClientParser::new(ClientLimits::default());
        let mut server = ServerHandshake::new();
        let mut answers: Vec<Vec<u8>> = Vec::new();
        parser.push(version.message());
        parser.push(choice);
        parser.push(&[0]);
        let shared = loop {
            let parsed = parser.next_message().unwrap().unwrap();
            let mut out = Vec::new();
            match server.answer(&parsed.message, &init, &mut out).unwrap() {
                Progress::Waiting => answers.push(out),
                Progress::Done { shared } => break shared,
            }
        };
        assert!(!shared && parser.handshake_done());
        assert_eq!(answers, expected, "{version:?}");
    }
    assert_eq!(SERVER_VERSION, Version::V8.message());
    let mut out = Vec::new();
    let refused = ServerHandshake::new().answer(&ClientMessage::SecurityType(2), &init, &mut out);
    assert_eq!(refused, Err(HandshakeError::SecurityType(2)));
    assert_eq!(out[..4], [0, 0, 0, 1]);
}

#[test]
fn a_text_that_grows_too_large_is_refused() {
    let text = "a".repeat(1 << 20);
    let provided = Provided::from_text(&text);
    assert!(provided.deflated.len() < 10_000);
    let error = provided.text(1000).unwrap_err();
    assert_eq!(
        error,
        ClipboardError::TooLarge {
            len: (1 << 20) + 1,
            limit: 1000
        }
    );
    assert_eq!(provided.text(2 << 20).unwrap().unwrap(), text);
}

#[test]
fn line_ends_are_those_of_the_wire() {
    let provided = Provided::from_text("a\nb\r\nc");
    assert_eq!(provided.text(100).unwrap().unwrap(), "a\nb\nc");
}

#[test]
fn formats_with_a_colour_map_are_refused() {
    let map = PixelFormat {
        true_colour: false,
        ..PixelFormat::BGRX
    };
    let error = map.check().unwrap_err().to_string();
    assert!(error.contains("true colour"), "{error}");
}
