//! What a ticket's rights let through, each direction.
//!
//! Towards the display every message is parsed, and only what is understood and allowed goes on.
//! Towards the browser one WebSocket message is one RFB message of a display that is ours, so the
//! first byte tells; only clipboard messages are looked into.

use bytes::{Bytes, BytesMut};
use porthole_rfb::{
    client::{ClientError, ClientLimits, ClientMessage, ClientParser},
    clipboard::{Clipboard, Provided, flags},
    handshake::Version,
};
use porthole_wire::{agent::Access, ticket::Grant};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// `ServerCutText` (RFC 6143, section 7.6.4), plain and extended.
const SERVER_CUT_TEXT: u8 = 3;
/// What compression and headers may add to the largest clipboard text.
const CLIPBOARD_OVERHEAD: u32 = 4096;

/// The rights of one stream.
#[derive(Debug)]
pub(crate) struct Policy {
    control: bool,
    clipboard_up: bool,
    clipboard_down: bool,
    clipboard_up_max: u32,
    clipboard_down_max: u32,
    up_pause: Pause,
    down_pause: Pause,
    idle: Option<Duration>,
    /// How many messages of the display belong to the handshake: known when the browser has told
    /// its version, which is before the display sends its second.
    handshake: AtomicU8,
}

impl Policy {
    pub fn new(grant: &Grant) -> Self {
        let control = grant.access == Access::Control;
        Self {
            control,
            clipboard_up: control && grant.clipboard_up,
            clipboard_down: grant.clipboard_down,
            clipboard_up_max: grant.clipboard_up_max,
            clipboard_down_max: grant.clipboard_down_max,
            up_pause: Pause::new(grant.clipboard_delay),
            down_pause: Pause::new(grant.clipboard_delay),
            idle: (grant.idle_disconnect > 0)
                .then(|| Duration::from_secs(grant.idle_disconnect.into())),
            handshake: AtomicU8::new(4),
        }
    }

    /// The most bytes a browser's WebSocket message may have.
    pub fn max_message(&self) -> usize {
        (1 << 20).max(self.clipboard_up_max as usize + (CLIPBOARD_OVERHEAD as usize) * 2)
    }

    /// How long a browser may send no input before it is disconnected.
    pub fn idle(&self) -> Option<Duration> {
        self.idle
    }
}

/// Whether contents of the clipboard may go: text is the only format we speak.
fn allows_provide(provided: &Provided, max: u32) -> bool {
    // Line ends and the final NUL count on the wire.
    let limit = max.saturating_add(1);
    provided.formats == flags::TEXT && matches!(provided.text(limit), Ok(Some(_)))
}

/// Whether an extended clipboard message may go, where `gives` is the right to send contents in its
/// direction, up to `max` bytes and not before `pause` is over, and `takes` the one to get them from
/// the other side.
fn allows_clipboard(
    message: &Clipboard,
    gives: bool,
    takes: bool,
    max: u32,
    pause: &Pause,
) -> bool {
    match message {
        Clipboard::Caps(_) => gives || takes,
        Clipboard::Request { .. } | Clipboard::Peek => takes,
        Clipboard::Notify { .. } => gives,
        Clipboard::Provide(provided) => gives && allows_provide(provided, max) && pause.over(),
        Clipboard::Unknown { .. } => false,
    }
}

/// What must pass between two texts in one direction.
#[derive(Debug)]
struct Pause {
    least: Duration,
    last: Mutex<Option<Instant>>,
}

impl Pause {
    fn new(milliseconds: u32) -> Self {
        Self {
            least: Duration::from_millis(milliseconds.into()),
            last: Mutex::default(),
        }
    }

    /// Whether enough time has passed; the next pause begins when it has.
    fn over(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let over = last.is_none_or(|last| last.elapsed() >= self.least);
        if over {
            *last = Some(Instant::now());
        }
        over
    }
}

/// From the browser to the display.
pub(crate) struct Up<'a> {
    policy: &'a Policy,
    parser: ClientParser,
}

/// What came of a browser's bytes.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// To be sent to the display.
    pub bytes: Bytes,
    /// Messages held back.
    pub withheld: u64,
    /// Whether somebody pressed, moved or pasted something.
    pub input: bool,
}

impl<'a> Up<'a> {
    pub fn new(policy: &'a Policy) -> Self {
        let cut_text = policy.clipboard_up_max.saturating_add(CLIPBOARD_OVERHEAD);
        let limits = ClientLimits {
            cut_text,
            ..ClientLimits::default()
        };
        Self {
            policy,
            parser: ClientParser::new(limits),
        }
    }

    /// Takes bytes of the browser, gives those that may go on.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<Passed, ClientError> {
        self.parser.push(bytes);
        let mut passed = Passed::default();
        let mut several = BytesMut::new();
        while let Some(parsed) = self.parser.next_message()? {
            passed.input |= is_input(&parsed.message);
            let Some(raw) = self.judge(&parsed.message, parsed.raw) else {
                passed.withheld += 1;
                continue;
            };
            if passed.bytes.is_empty() && several.is_empty() {
                passed.bytes = raw;
            } else {
                if several.is_empty() {
                    several.extend_from_slice(&passed.bytes);
                }
                several.extend_from_slice(&raw);
            }
        }
        if !several.is_empty() {
            passed.bytes = several.freeze();
        }
        Ok(passed)
    }

    fn judge(&self, message: &ClientMessage, raw: Bytes) -> Option<Bytes> {
        let policy = self.policy;
        let allowed = match message {
            ClientMessage::ProtocolVersion(version) => {
                // Without security only 3.8 has a result (section 7.1.3).
                policy
                    .handshake
                    .store(if *version == Version::V8 { 4 } else { 3 }, Relaxed);
                true
            }
            // Who else may look is not for a viewer to say.
            ClientMessage::ClientInit { .. } => return Some(Bytes::from_static(&[1])),
            ClientMessage::SecurityType(_)
            | ClientMessage::SetPixelFormat(_)
            | ClientMessage::SetEncodings(_)
            | ClientMessage::FramebufferUpdateRequest { .. }
            | ClientMessage::EnableContinuousUpdates { .. }
            | ClientMessage::Fence { .. } => true,
            ClientMessage::Key { .. }
            | ClientMessage::Pointer { .. }
            | ClientMessage::SetDesktopSize { .. }
            | ClientMessage::QemuKey { .. } => policy.control,
            ClientMessage::CutText(text) => {
                policy.clipboard_up
                    && text.len() <= policy.clipboard_up_max as usize
                    && policy.up_pause.over()
            }
            ClientMessage::Clipboard(message) => allows_clipboard(
                message,
                policy.clipboard_up,
                policy.clipboard_down,
                policy.clipboard_up_max,
                &policy.up_pause,
            ),
            ClientMessage::Oversized { .. } => false,
        };
        allowed.then_some(raw)
    }
}

/// Whether a person is behind a message.
fn is_input(message: &ClientMessage) -> bool {
    matches!(
        message,
        ClientMessage::Key { .. }
            | ClientMessage::QemuKey { .. }
            | ClientMessage::Pointer { .. }
            | ClientMessage::CutText(_)
            | ClientMessage::Clipboard(Clipboard::Provide(_))
    )
}

/// From the display to the browser.
pub(crate) struct Down<'a> {
    policy: &'a Policy,
    handshake: u8,
}

impl<'a> Down<'a> {
    pub fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            handshake: 0,
        }
    }

    /// Whether a message of the display may go to the browser.
    pub fn allows(&mut self, message: &Bytes) -> bool {
        if self.handshake < self.policy.handshake.load(Relaxed) {
            self.handshake += 1;
            return true;
        }
        match message.first() {
            Some(&SERVER_CUT_TEXT) => self.allows_cut_text(message),
            Some(_) => true,
            None => false,
        }
    }

    fn allows_cut_text(&self, message: &Bytes) -> bool {
        let policy = self.policy;
        let Some(len) = message.get(4..8).and_then(|len| len.try_into().ok()) else {
            return false;
        };
        let len = i32::from_be_bytes(len);
        let body = message.slice(8..);
        if body.len() as u64 != u64::from(len.unsigned_abs()) {
            return false;
        }
        if len >= 0 {
            return policy.clipboard_down
                && body.len() <= policy.clipboard_down_max as usize
                && policy.down_pause.over();
        }
        Clipboard::parse(&body).is_ok_and(|message| {
            allows_clipboard(
                &message,
                policy.clipboard_down,
                policy.clipboard_up,
                policy.clipboard_down_max,
                &policy.down_pause,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::ids::{AgentId, SessionId, StreamId, UserId};

    const HELLO: &[u8] = b"RFB 003.008\n\x01\x00";

    fn policy(access: Access, up: bool, down: bool, max: u32) -> Policy {
        Policy::new(&Grant {
            stream_id: StreamId::new(),
            exp: 0,
            session_id: SessionId::new(),
            agent_id: AgentId::new(),
            user_id: UserId::new(),
            login_id: None,
            access,
            clipboard_down: down,
            clipboard_up: up,
            clipboard_down_max: max,
            clipboard_up_max: max,
            clipboard_delay: 0,
            idle_disconnect: 0,
        })
    }

    /// What is left of a browser's bytes, after the handshake.
    fn up(policy: &Policy, bytes: &[u8]) -> Vec<u8> {
        let mut up = Up::new(policy);
        assert_eq!(
            up.pass(HELLO).unwrap().bytes,
            b"RFB 003.008\n\x01\x01".as_slice()
        );
        up.pass(bytes).unwrap().bytes.to_vec()
    }

    fn down(policy: &Policy, message: Vec<u8>) -> bool {
        let mut down = Down::new(policy);
        // A desktop 800 pixels wide: its first byte is that of a cut text.
        for message in [
            b"RFB 003.008\n".as_slice(),
            &[1, 1],
            &[0; 4],
            &[3, 0x20, 2, 0],
        ] {
            assert!(down.allows(&Bytes::copy_from_slice(message)));
        }
        down.allows(&message.into())
    }

    fn cut_text(kind: u8, text: &[u8]) -> Vec<u8> {
        [
            &[kind, 0, 0, 0],
            &(text.len() as u32).to_be_bytes()[..],
            text,
        ]
        .concat()
    }

    fn extended(kind: u8, flags: u32, rest: &[u8]) -> Vec<u8> {
        let len = (rest.len() as i32 + 4).wrapping_neg();
        [
            &[kind, 0, 0, 0],
            &len.to_be_bytes()[..],
            &flags.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    fn provide(kind: u8, text: &str) -> Vec<u8> {
        let Clipboard::Provide(provided) = Clipboard::provide(text) else {
            unreachable!()
        };
        extended(kind, flags::PROVIDE | provided.formats, &provided.deflated)
    }

    const KEY: &[u8] = &[4, 1, 0, 0, 0, 0, 0, 97];
    const POINTER: &[u8] = &[5, 1, 0, 1, 0, 1];
    const REQUEST: &[u8] = &[3, 1, 0, 0, 0, 0, 1, 0, 1, 0];
    const QEMU_KEY: &[u8] = &[255, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 30];

    fn set_desktop_size() -> Vec<u8> {
        [&[251, 0, 4, 0, 3, 0, 1, 0][..], &[0; 16]].concat()
    }

    #[test]
    fn a_view_only_browser_gets_no_input_through() {
        let policy = policy(Access::View, true, true, 100);
        let input = [
            KEY,
            POINTER,
            &set_desktop_size(),
            QEMU_KEY,
            &cut_text(6, b"x"),
            REQUEST,
        ];
        assert_eq!(up(&policy, &input.concat()), REQUEST);
    }

    #[test]
    fn input_goes_through_in_its_order() {
        let policy = policy(Access::Control, true, true, 100);
        let input = [
            KEY,
            POINTER,
            REQUEST,
            &set_desktop_size(),
            QEMU_KEY,
            &cut_text(6, b"x"),
        ]
        .concat();
        assert_eq!(up(&policy, &input), input);
    }

    #[test]
    fn input_in_single_bytes_is_judged_the_same() {
        let policy = policy(Access::View, true, true, 100);
        let mut up = Up::new(&policy);
        let input = [HELLO, KEY, REQUEST, POINTER, REQUEST].concat();
        let mut out = Vec::new();
        for byte in input {
            out.extend_from_slice(&up.pass(&[byte]).unwrap().bytes);
        }
        assert_eq!(out, [b"RFB 003.008\n\x01\x01", REQUEST, REQUEST].concat());
    }

    #[test]
    fn garbage_is_an_error() {
        let policy = policy(Access::Control, true, true, 100);
        assert!(Up::new(&policy).pass(b"GET / HTTP/1.1\r\n").is_err());
        let mut up = Up::new(&policy);
        up.pass(HELLO).unwrap();
        assert!(up.pass(&[77]).is_err());
    }

    #[test]
    fn clipboard_up_is_judged_by_right_and_size() {
        let (text, large) = (cut_text(6, &[b'x'; 10]), cut_text(6, &[b'x'; 11]));
        let (rich, rich_large) = (provide(6, "0123456789"), provide(6, &"x".repeat(5000)));
        let open = policy(Access::Control, true, false, 10);
        assert_eq!(up(&open, &text), text);
        assert!(up(&open, &large).is_empty());
        assert_eq!(up(&open, &rich), rich);
        assert!(
            up(&open, &rich_large).is_empty(),
            "compressed text counts by its real size"
        );
        assert!(up(&open, &provide(6, &"x".repeat(1 << 24))).is_empty());
        // A message that is skipped takes nothing after it along.
        assert_eq!(
            up(
                &open,
                &[cut_text(6, &vec![b'x'; 100_000]), KEY.to_vec()].concat()
            ),
            KEY
        );
        let closed = policy(Access::Control, false, true, 10);
        assert!(up(&closed, &text).is_empty());
        assert!(up(&closed, &rich).is_empty());
        assert!(up(&closed, &extended(6, flags::NOTIFY | flags::TEXT, &[])).is_empty());
    }

    #[test]
    fn asking_for_a_clipboard_needs_the_right_to_get_it() {
        let request = extended(6, flags::REQUEST | flags::TEXT, &[]);
        assert_eq!(
            up(&policy(Access::View, false, true, 10), &request),
            request
        );
        assert!(up(&policy(Access::Control, true, false, 10), &request).is_empty());
        let request = extended(3, flags::REQUEST | flags::TEXT, &[]);
        assert!(down(
            &policy(Access::Control, true, false, 10),
            request.clone()
        ));
        assert!(!down(&policy(Access::Control, false, true, 10), request));
    }

    #[test]
    fn clipboard_down_is_judged_by_right_and_size() {
        let open = policy(Access::View, false, true, 10);
        assert!(down(&open, cut_text(3, b"0123456789")));
        assert!(!down(&open, cut_text(3, b"0123456789x")));
        assert!(down(&open, provide(3, "0123456789")));
        assert!(!down(&open, provide(3, &"x".repeat(5000))));
        let closed = policy(Access::Control, true, false, 10);
        assert!(!down(&closed, cut_text(3, b"x")));
        assert!(!down(&closed, provide(3, "x")));
        assert!(!down(
            &closed,
            extended(3, flags::NOTIFY | flags::TEXT, &[])
        ));
        assert!(down(
            &closed,
            extended(3, flags::CAPS | flags::TEXT, &[0; 4])
        ));
        let none = policy(Access::Control, false, false, 10);
        assert!(!down(
            &none,
            extended(3, flags::CAPS | flags::TEXT, &[0; 4])
        ));
    }

    #[test]
    fn formats_other_than_text_do_not_pass() {
        let open = policy(Access::Control, true, true, 1000);
        let Clipboard::Provide(provided) = Clipboard::provide("x") else {
            unreachable!()
        };
        let html = extended(
            6,
            flags::PROVIDE | flags::TEXT | flags::HTML,
            &provided.deflated,
        );
        assert!(up(&open, &html).is_empty());
    }

    #[test]
    fn broken_cut_texts_of_a_display_do_not_pass() {
        let open = policy(Access::Control, true, true, 1000);
        for broken in [
            vec![3],
            vec![3, 0, 0, 0, 0, 0, 0, 9, 1],
            vec![3, 0, 0, 0, 0x80, 0, 0, 0],
        ] {
            assert!(!down(&open, broken));
        }
        assert!(down(&open, vec![2]));
    }

    #[test]
    fn the_handshake_of_an_old_version_is_shorter() {
        let policy = policy(Access::Control, true, false, 100);
        let mut up = Up::new(&policy);
        up.pass(b"RFB 003.003\n").unwrap();
        let mut down = Down::new(&policy);
        for message in [b"RFB 003.008\n".as_slice(), &[0, 0, 0, 1], &[3, 0x20, 2, 0]] {
            assert!(down.allows(&Bytes::copy_from_slice(message)));
        }
        assert!(!down.allows(&cut_text(3, b"secret").into()));
    }

    #[test]
    fn texts_that_come_too_soon_are_held_back() {
        let mut policy = policy(Access::Control, true, true, 100);
        policy.up_pause = Pause::new(60_000);
        let (first, second) = (cut_text(6, b"one"), cut_text(6, b"two"));
        assert_eq!(up(&policy, &[first.clone(), second].concat()), first);
        // Each direction has its own.
        assert!(down(&policy, cut_text(3, b"three")));
    }

    #[test]
    fn what_a_person_does_is_told_from_what_the_viewer_does() {
        let policy = policy(Access::Control, true, true, 100);
        let mut up = Up::new(&policy);
        assert!(!up.pass(HELLO).unwrap().input);
        let update = [3, 1, 0, 0, 0, 0, 0, 10, 0, 10];
        assert!(!up.pass(&update).unwrap().input);
        let key = [4, 1, 0, 0, 0, 0, 0, 0x61];
        assert!(up.pass(&key).unwrap().input);
    }
}
