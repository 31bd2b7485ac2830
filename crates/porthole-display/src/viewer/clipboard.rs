//! The clipboard between one viewer and the session: extended (in Unicode, fetched when wanted),
//! or plain for viewers that know nothing else.

use crate::{
    desktop::{Mail, ViewerId},
    x11::clipboard::{ClipboardHandle, Fetched},
};
use bytes::Bytes;
use porthole_rfb::{
    clipboard::{Caps, Clipboard, flags, from_latin1, to_latin1},
    server::{write_clipboard, write_cut_text},
};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// A viewer's side.
pub struct ViewerClipboard {
    viewer: ViewerId,
    handle: ClipboardHandle,
    max: usize,
    /// What the viewer can do, once it knows the extension.
    caps: Option<Caps>,
    fetching: Option<oneshot::Receiver<Fetched>>,
}

impl ViewerClipboard {
    /// For a viewer; texts are of at most `max` bytes.
    pub fn new(viewer: ViewerId, handle: ClipboardHandle, max: usize) -> Self {
        Self {
            viewer,
            handle,
            max,
            caps: None,
            fetching: None,
        }
    }

    /// The viewer lists the extension: what we can do. Nothing unasked, text is fetched when it is
    /// pasted.
    pub fn announce(&mut self) -> Bytes {
        self.caps = Some(Caps::ASSUMED);
        message(&Clipboard::Caps(Caps::ours(0)))
    }

    /// Takes a message of the viewer; gives an answer to send.
    pub fn receive(&mut self, received: &Clipboard) -> Option<Bytes> {
        match received {
            Clipboard::Caps(caps) => self.caps = Some(*caps),
            Clipboard::Request { formats } if formats & flags::TEXT != 0 => self.fetch(),
            Clipboard::Peek => {
                return Some(message(&Clipboard::Notify {
                    formats: flags::TEXT,
                }));
            }
            Clipboard::Notify { formats } if formats & flags::TEXT != 0 => {
                self.handle.offer(self.viewer);
            }
            Clipboard::Notify { .. } => self.handle.withdraw(self.viewer),
            Clipboard::Provide(provided) => match provided.text(self.max as u32) {
                Ok(Some(text)) => self.handle.give(self.viewer, &text),
                Ok(None) => {}
                Err(error) => {
                    tracing::info!(viewer = self.viewer, %error, "the viewer's clipboard was left out");
                    self.handle.withdraw(self.viewer);
                }
            },
            Clipboard::Request { .. } | Clipboard::Unknown { .. } => {}
        }
        None
    }

    /// The viewer sends plain text.
    pub fn plain_text(&self, latin1: &[u8]) {
        if latin1.len() <= self.max {
            self.handle
                .give(self.viewer, &from_latin1(latin1).replace("\r\n", "\n"));
        }
    }

    /// Takes what the mailbox has about the clipboard.
    pub fn read_mail(&mut self, mail: &mut Mail, answers: &mut VecDeque<Bytes>) {
        let knows = |action| self.caps.is_some_and(|caps| caps.has(action));
        if std::mem::take(&mut mail.clipboard_wanted) {
            if knows(flags::REQUEST) {
                answers.push_back(message(&Clipboard::Request {
                    formats: flags::TEXT,
                }));
            } else {
                self.handle.withdraw(self.viewer);
            }
        }
        if std::mem::take(&mut mail.clipboard_empty) && knows(flags::NOTIFY) {
            answers.push_back(message(&Clipboard::Notify { formats: 0 }));
        }
        if std::mem::take(&mut mail.clipboard_new) {
            if knows(flags::NOTIFY) {
                answers.push_back(message(&Clipboard::Notify {
                    formats: flags::TEXT,
                }));
            } else {
                self.fetch();
            }
        }
    }

    fn fetch(&mut self) {
        self.fetching = Some(self.handle.fetch());
    }

    /// Waits for a text that is fetched; gives the message with it. May be dropped at any time.
    pub async fn background(&mut self) -> Option<Bytes> {
        let Some(fetching) = &mut self.fetching else {
            return std::future::pending().await;
        };
        let text = fetching.await.ok().flatten();
        self.fetching = None;
        if self.caps.is_some_and(|caps| caps.has(flags::PROVIDE)) {
            // A text that cannot be had is an empty one: the viewer waits for an answer.
            return Some(message(&Clipboard::provide(
                text.as_deref().unwrap_or_default(),
            )));
        }
        let text = text?;
        let mut plain = Vec::new();
        write_cut_text(&to_latin1(&text), &mut plain);
        Some(plain.into())
    }

    /// The viewer went.
    pub fn leave(&self) {
        self.handle.leave(self.viewer);
    }
}

fn message(clipboard: &Clipboard) -> Bytes {
    let mut message = Vec::new();
    write_clipboard(clipboard, &mut message);
    message.into()
}
