//! Zip archives (PKWARE's APPNOTE 6.3.10) that are written as their files come: deflated, sizes
//! and checksums behind the contents, ZIP64 where a file or the archive needs it.

use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

/// From this size on a file's sizes take eight bytes. Deflate may make a file a little larger.
const LARGE: u64 = 0xf000_0000;
/// Sizes follow the contents (bit 3); names are UTF-8 (bit 11).
const FLAGS: u16 = 0x0808;
const DEFLATE: u16 = 8;
const LIMIT_16: u64 = 0xffff;
const LIMIT_32: u64 = 0xffff_ffff;

/// An archive that is being written. Every call gives the bytes to send.
#[derive(Default)]
pub(crate) struct Zip {
    written: u64,
    entries: Vec<Entry>,
    open: Option<Open>,
}

struct Entry {
    name: Vec<u8>,
    modified: Dos,
    crc: u32,
    compressed: u64,
    size: u64,
    at: u64,
}

struct Open {
    name: Vec<u8>,
    modified: Dos,
    at: u64,
    large: bool,
    size: u64,
    compressed: u64,
    crc: crc32fast::Hasher,
    deflate: DeflateEncoder<Vec<u8>>,
}

/// A date and a time in two seconds' steps, as archives have them.
#[derive(Clone, Copy)]
struct Dos {
    time: u16,
    date: u16,
}

impl Dos {
    /// From milliseconds since 1970, in UTC; archives know none before 1980.
    fn new(ms: u64) -> Self {
        let seconds = ms / 1000;
        let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
        // Civil date from days (Howard Hinnant's algorithm), for days since 1970 only.
        let z = days + 719_468;
        let era = z / 146_097;
        let doe = z % 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        if !(1980..=2107).contains(&year) {
            return Self {
                time: 0,
                date: 0x21,
            };
        }
        Self {
            time: ((second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2)) as u16,
            date: ((year - 1980) << 9 | month << 5 | day) as u16,
        }
    }
}

#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn u16(mut self, n: u16) -> Self {
        self.0.extend(n.to_le_bytes());
        self
    }

    fn u32(mut self, n: u32) -> Self {
        self.0.extend(n.to_le_bytes());
        self
    }

    fn u64(mut self, n: u64) -> Self {
        self.0.extend(n.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

/// As four bytes, or the mark that it stands elsewhere.
fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Zip {
    /// How many files and folders there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Begins a file of this size in bytes, last changed then (milliseconds since 1970). A name
    /// that ends in a slash is a folder's.
    pub fn begin(&mut self, name: &str, modified_ms: u64, size: u64) -> Vec<u8> {
        let name = name.as_bytes()[..name.floor_char_boundary(LIMIT_16 as usize)].to_vec();
        let modified = Dos::new(modified_ms);
        let large = size >= LARGE;
        let mut extra = Record::default();
        if large {
            extra = extra.u16(1).u16(16).u64(0).u64(0);
        }
        let placeholder = if large { u32::MAX } else { 0 };
        let header = Record::default()
            .u32(0x0403_4b50)
            .u16(if large { 45 } else { 20 })
            .u16(FLAGS)
            .u16(DEFLATE)
            .u16(modified.time)
            .u16(modified.date)
            .u32(0)
            .u32(placeholder)
            .u32(placeholder)
            .u16(name.len() as u16)
            .u16(extra.0.len() as u16)
            .bytes(&name)
            .bytes(&extra.0);
        self.open = Some(Open {
            name,
            modified,
            at: self.written,
            large,
            size: 0,
            compressed: 0,
            crc: crc32fast::Hasher::new(),
            deflate: DeflateEncoder::new(Vec::new(), Compression::fast()),
        });
        self.count(header.0)
    }

    fn count(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.written += bytes.len() as u64;
        bytes
    }

    /// More of the file that was begun.
    pub fn data(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        open.size += bytes.len() as u64;
        open.crc.update(bytes);
        // Into memory; nothing there can fail.
        let _ = open.deflate.write_all(bytes);
        let out = std::mem::take(open.deflate.get_mut());
        open.compressed += out.len() as u64;
        self.count(out)
    }

    /// Ends the file that was begun.
    pub fn end(&mut self) -> Vec<u8> {
        let Some(mut open) = self.open.take() else {
            return Vec::new();
        };
        let out = open.deflate.finish().unwrap_or_default();
        open.compressed += out.len() as u64;
        let crc = open.crc.finalize();
        let record = Record(out).u32(0x0807_4b50).u32(crc);
        let record = if open.large {
            record.u64(open.compressed).u64(open.size)
        } else {
            record.u32(small(open.compressed)).u32(small(open.size))
        };
        self.entries.push(Entry {
            name: open.name,
            modified: open.modified,
            crc,
            compressed: open.compressed,
            size: open.size,
            at: open.at,
        });
        self.count(record.0)
    }

    /// The archive's directory, which ends it.
    pub fn finish(self) -> Vec<u8> {
        let directory = self
            .entries
            .iter()
            .fold(Record::default(), |to, entry| entry.record(to));
        let (count, length, at) = (
            self.entries.len() as u64,
            directory.0.len() as u64,
            self.written,
        );
        let mut directory = directory;
        if count >= LIMIT_16 || length >= LIMIT_32 || at >= LIMIT_32 {
            directory = directory
                .u32(0x0606_4b50)
                .u64(44)
                .u16(45)
                .u16(45)
                .u32(0)
                .u32(0)
                .u64(count)
                .u64(count)
                .u64(length)
                .u64(at)
                .u32(0x0706_4b50)
                .u32(0)
                .u64(at + length)
                .u32(1);
        }
        let count = count.min(LIMIT_16) as u16;
        directory
            .u32(0x0605_4b50)
            .u16(0)
            .u16(0)
            .u16(count)
            .u16(count)
            .u32(small(length))
            .u32(small(at))
            .u16(0)
            .0
    }
}

impl Entry {
    fn record(&self, to: Record) -> Record {
        let mut large = Record::default();
        for n in [self.size, self.compressed, self.at] {
            if n >= LIMIT_32 {
                large = large.u64(n);
            }
        }
        let mut extra = Record::default();
        if !large.0.is_empty() {
            extra = extra.u16(1).u16(large.0.len() as u16).bytes(&large.0);
        }
        let version = if extra.0.is_empty() { 20 } else { 45 };
        // Made on Unix: an ordinary file, or a folder.
        let mode: u32 = if self.name.ends_with(b"/") {
            0o040_755 << 16 | 0x10
        } else {
            0o100_644 << 16
        };
        to.u32(0x0201_4b50)
            .u16(3 << 8 | version)
            .u16(version)
            .u16(FLAGS)
            .u16(DEFLATE)
            .u16(self.modified.time)
            .u16(self.modified.date)
            .u32(self.crc)
            .u32(small(self.compressed))
            .u32(small(self.size))
            .u16(self.name.len() as u16)
            .u16(extra.0.len() as u16)
            .u16(0)
            .u16(0)
            .u16(0)
            .u32(mode)
            .u32(small(self.at))
            .bytes(&self.name)
            .bytes(&extra.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// What Python's zipfile, which is none of ours, reads out of an archive.
    fn python(archive: &[u8], script: &str) -> String {
        let path = std::env::temp_dir().join(format!("porthole-{}.zip", rand::random::<u64>()));
        std::fs::write(&path, archive).unwrap();
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(&path)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn others_read_it() {
        let mut zip = Zip::default();
        let mut archive = Vec::new();
        let long = b"abc".repeat(100_000);
        for (name, content) in [
            ("d/ä ö\n.txt", b"hello".as_slice()),
            ("d/empty", b""),
            ("d/-long", &long),
            ("d/folder/", b""),
        ] {
            // 2026-01-02 03:04:06 UTC
            archive.extend(zip.begin(name, 1_767_323_046_000, content.len() as u64));
            for piece in content.chunks(7000) {
                archive.extend(zip.data(piece));
            }
            archive.extend(zip.end());
        }
        archive.extend(zip.finish());
        let script = "import sys,zipfile,zlib\n\
            z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n\
            for i in z.infolist(): print(repr(i.filename), i.file_size, i.date_time, zlib.crc32(z.read(i)))";
        let crc = |bytes: &[u8]| crc32fast::hash(bytes);
        let when = "(2026, 1, 2, 3, 4, 6)";
        assert_eq!(
            python(&archive, script),
            format!(
                "'d/ä ö\\n.txt' 5 {when} {}\n'd/empty' 0 {when} 0\n'd/-long' 300000 {when} {}\n'd/folder/' 0 {when} 0\n",
                crc(b"hello"),
                crc(&long)
            )
        );
    }

    #[test]
    fn a_file_that_may_be_large_and_many_files() {
        let mut zip = Zip::default();
        let mut archive = zip.begin("large", 0, LARGE);
        archive.extend(zip.data(b"not so large after all"));
        archive.extend(zip.end());
        for number in 0..70_000 {
            archive.extend(zip.begin(&number.to_string(), 0, 0));
            archive.extend(zip.end());
        }
        archive.extend(zip.finish());
        let script = "import sys,zipfile\n\
            z=zipfile.ZipFile(sys.argv[1])\n\
            print(len(z.infolist()), z.read('large').decode(), z.read('69999'))";
        assert_eq!(
            python(&archive, script),
            "70001 not so large after all b''\n"
        );
    }

    #[test]
    fn dates() {
        let text = |ms| {
            let Dos { time, date } = Dos::new(ms);
            (
                1980 + (date >> 9),
                date >> 5 & 15,
                date & 31,
                time >> 11,
                time >> 5 & 63,
                (time & 31) * 2,
            )
        };
        assert_eq!(text(0), (1980, 1, 1, 0, 0, 0));
        assert_eq!(text(951_827_696_000), (2000, 2, 29, 12, 34, 56));
        assert_eq!(text(u64::MAX), (1980, 1, 1, 0, 0, 0));
    }
}
