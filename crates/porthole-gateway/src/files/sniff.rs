//! What a file is, from its first bytes. Names say nothing here: anybody can give one.

/// How many first bytes are looked at.
pub(crate) const HEAD: usize = 64 * 1024;

/// The media type (RFC 6838) that the first bytes of a file tell.
pub(crate) fn media_type(head: &[u8]) -> &'static str {
    if head.is_empty() {
        return "application/x-empty";
    }
    if let Some(found) = infer::get(head) {
        return found.mime_type();
    }
    if is_text(head) {
        return "text/plain";
    }
    "application/octet-stream"
}

/// UTF-8 without control characters that no text has. The last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contents_tell_the_type() {
        let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat();
        for (head, expected) in [
            (b"\x89PNG\r\n\x1a\n0000".as_slice(), "image/png"),
            (&elf, "application/x-executable"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"PK\x03\x04\x14\0\0\0", "application/zip"),
            (b"#!/bin/sh\nrm\n", "text/x-shellscript"),
            ("Grüße\n".as_bytes(), "text/plain"),
            (b"", "application/x-empty"),
            (b"\0\x01\x02\x03", "application/octet-stream"),
        ] {
            assert_eq!(media_type(head), expected, "{head:?}");
        }
        assert!(media_type(b"MZ\x90\0\x03\0\0\0").contains("executable"));
        // A character that the head's end cuts is no fault of the text.
        assert_eq!(media_type(&"ä".as_bytes()[..1]), "text/plain");
    }

    proptest! {
        #[test]
        fn nothing_panics(head in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(media_type(&head).contains('/'));
        }

        #[test]
        fn text_is_text_wherever_it_is_cut(text in "[a-zäöü€😀 \n]{1,200}", at in 1_usize..400) {
            let bytes = text.as_bytes();
            prop_assert!(is_text(&bytes[..at.min(bytes.len())]));
        }
    }
}
