//! How many updates, and bytes of them, may be on the way to a viewer: enough to keep the line busy,
//! too few to make a queue. Learned from when the viewer's answers to fences come, as is the line's
//! rate.

use porthole_encode::Link;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Updates on the way at the start.
const FIRST_LIMIT: f64 = 3.0;
const MAX_LIMIT: f64 = 24.0;
/// Bytes on the way, beyond a single update, at the start and at least. One large update may fill a
/// slow line for a second; another one behind it would keep what is typed meanwhile waiting.
const FIRST_ROOM: usize = 64 << 10;
const LEAST_ROOM: usize = 32 << 10;
const MAX_ROOM: usize = 16 << 20;
/// An answer later than this after the quickest means that a queue builds up somewhere.
const SLACK: Duration = Duration::from_millis(40);
/// How long bytes may wait on the line.
const QUEUE: Duration = Duration::from_millis(150);
/// The quickest answer is forgotten after so many, since lines change.
const WINDOW: u32 = 240;
/// Fewer bytes on the way tell nothing of the line's rate.
const MIN_MEASURED: usize = 4096;
/// The rate is told after so many bytes.
const MIN_KNOWN: usize = 32_000;
/// Answers that tell the rate; the slower half of them is left out, since some updates wait for
/// what was lost on the way.
const MEASURES: usize = 16;

/// What is on the way.
#[derive(Debug)]
pub struct Pacing {
    waiting: VecDeque<Sent>,
    next: u32,
    limit: f64,
    room: usize,
    quickest: Option<Duration>,
    next_quickest: Option<Duration>,
    answers: u32,
    /// No second cut for what was sent before the first one.
    cut_until: u32,
    /// Bytes on the way for each of the last answers, and how long they took on the line.
    measured: VecDeque<(usize, Duration)>,
}

/// An update on the way.
#[derive(Debug)]
struct Sent {
    number: u32,
    at: Instant,
    bytes: usize,
    /// Bytes on the way when it went, its own among them.
    ahead: usize,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next: 0,
            limit: FIRST_LIMIT,
            room: FIRST_ROOM,
            quickest: None,
            next_quickest: None,
            answers: 0,
            cut_until: 0,
            measured: VecDeque::with_capacity(MEASURES),
        }
    }
}

impl Pacing {
    /// Whether another update may go.
    pub fn ready(&self) -> bool {
        self.waiting.is_empty()
            || ((self.waiting.len() as f64) < self.limit && self.on_the_way() < self.room)
    }

    /// Bytes that may go at once without others waiting long for them.
    pub const fn room(&self) -> usize {
        self.room
    }

    fn on_the_way(&self) -> usize {
        self.waiting.iter().map(|sent| sent.bytes).sum()
    }

    /// What is known of the line, for the next update.
    pub fn link(&self) -> Link {
        let mut measured: Vec<_> = self.measured.iter().copied().collect();
        let each = |(bytes, took): &(usize, Duration)| took.as_secs_f64() / *bytes as f64;
        measured.sort_by(|one, two| each(one).total_cmp(&each(two)));
        measured.truncate(measured.len().div_ceil(2));
        let bytes: usize = measured.iter().map(|(bytes, _)| bytes).sum();
        let took: Duration = measured.iter().map(|(_, took)| took).sum();
        let known = bytes >= MIN_KNOWN && !took.is_zero();
        Link {
            rate: known.then(|| bytes as f64 / took.as_secs_f64()),
        }
    }

    /// An update of so many bytes goes now; gives the number for its fence.
    pub fn sent(&mut self, bytes: usize, now: Instant) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.push_back(Sent {
            number,
            at: now,
            bytes,
            ahead: self.on_the_way() + bytes,
        });
        number
    }

    /// The fence of that number was answered.
    pub fn answered(&mut self, number: u32, now: Instant) {
        let Some(at) = self.waiting.iter().position(|sent| sent.number == number) else {
            return;
        };
        let busy = self.waiting.len() as f64 >= self.limit - 1.0;
        let Some(sent) = self.waiting.drain(..=at).next_back() else {
            return;
        };
        let took = now.saturating_duration_since(sent.at);
        self.next_quickest = Some(self.next_quickest.map_or(took, |least| least.min(took)));
        let quickest = self.quickest.map_or(took, |least| least.min(took));
        self.quickest = Some(quickest);
        if sent.ahead >= MIN_MEASURED {
            // What it took longer than the quickest was the way through the line.
            if self.measured.len() == MEASURES {
                self.measured.pop_front();
            }
            self.measured
                .push_back((sent.ahead, took.saturating_sub(quickest)));
        }
        self.answers += 1;
        if self.answers >= WINDOW {
            self.answers = 0;
            self.quickest = self.next_quickest.take();
        }
        let recent = number.wrapping_sub(self.cut_until) < u32::MAX / 2;
        let in_time = quickest * 2 + SLACK;
        if took > in_time {
            if recent {
                self.cut_until = self.next;
                let seconds = took.as_secs_f64();
                if sent.ahead > LEAST_ROOM {
                    // So much passes in the time that is meant.
                    let room = sent.ahead as f64 / seconds * (quickest + QUEUE).as_secs_f64();
                    self.room = self.room.min(room as usize).max(LEAST_ROOM);
                } else {
                    let part = (in_time.as_secs_f64() / seconds).clamp(0.5, 0.9);
                    self.limit = (self.limit * part).max(1.0);
                }
            }
        } else {
            if busy {
                self.limit = (self.limit + 1.0 / self.limit).min(MAX_LIMIT);
            }
            if sent.ahead * 2 >= self.room {
                self.room = (self.room + sent.bytes).min(MAX_ROOM);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as often as allowed over a line that takes `each` per update one after the other,
    /// plus `delay`; gives the most on the way at the end.
    fn run(delay: Duration, each: Duration) -> usize {
        let mut pacing = Pacing::default();
        let mut now = Instant::now();
        let mut line_free = now;
        let mut arriving: VecDeque<(Instant, u32)> = VecDeque::new();
        for _ in 0..400 {
            while pacing.ready() {
                line_free = line_free.max(now) + each;
                arriving.push_back((line_free + delay, pacing.sent(10_000, now)));
            }
            let Some((at, number)) = arriving.pop_front() else {
                unreachable!("something is always on the way")
            };
            now = now.max(at);
            pacing.answered(number, now);
        }
        pacing.waiting.len()
    }

    #[test]
    fn a_far_viewer_gets_more_on_the_way() {
        assert!(run(Duration::from_millis(200), Duration::from_millis(5)) > 10);
    }

    #[test]
    fn a_slow_line_gets_no_queue() {
        assert!(run(Duration::from_millis(5), Duration::from_millis(100)) <= 2);
    }

    /// Sends updates of so many bytes as often as allowed for some seconds over a line of so many
    /// bytes a second; gives the longest that one took, and the bytes that arrived in a second.
    fn send(rate: f64, delay: Duration, bytes: usize, seconds: u64) -> (Duration, f64) {
        let mut pacing = Pacing::default();
        let begin = Instant::now();
        let (mut now, mut line_free) = (begin, begin);
        let mut arriving: VecDeque<(Instant, u32, Instant)> = VecDeque::new();
        // As when a page is opened: some small ones first.
        for _ in 0..3 {
            let number = pacing.sent(20, now);
            now += delay;
            pacing.answered(number, now);
        }
        let (mut longest, mut arrived) = (Duration::ZERO, 0);
        while now < begin + Duration::from_secs(seconds) {
            while pacing.ready() {
                let through = Duration::from_secs_f64(bytes as f64 / rate);
                line_free = line_free.max(now) + through;
                arriving.push_back((line_free + delay, pacing.sent(bytes, now), now));
            }
            let Some((at, number, sent)) = arriving.pop_front() else {
                unreachable!("something is always on the way")
            };
            now = at;
            longest = longest.max(now - sent);
            arrived += bytes;
            pacing.answered(number, now);
        }
        let passed = (now - begin).as_secs_f64();
        (longest, arrived as f64 / passed)
    }

    #[test]
    fn large_updates_make_no_queue_on_a_slow_line() {
        for rate in [125e3, 600e3] {
            let delay = Duration::from_millis(100);
            let (longest, arrived) = send(rate, delay, 150_000, 20);
            // One at a time: what it takes by itself.
            let alone = delay + Duration::from_secs_f64(150e3 / rate);
            assert!(longest < alone * 6 / 5, "{longest:?} at {rate}");
            assert!(arrived > rate * 0.6, "{arrived} at {rate}");
        }
    }

    #[test]
    fn quick_lines_are_filled() {
        for (rate, delay) in [(2.5e6, 40), (12e6, 20), (120e6, 2)] {
            let delay = Duration::from_millis(delay);
            let (longest, arrived) = send(rate, delay, 60_000, 10);
            assert!(arrived > rate * 0.7, "{arrived} at {rate}");
            assert!(longest < delay * 5 + SLACK * 2, "{longest:?} at {rate}");
        }
    }

    #[test]
    fn the_lines_rate_is_learned() {
        let mut pacing = Pacing::default();
        let (mut now, mut free) = (Instant::now(), Instant::now());
        assert_eq!(pacing.link(), Link::default());
        // One megabyte a second, 20 ms away, and small updates among the large.
        for bytes in [10, 30_000, 5000, 60_000, 100].repeat(20) {
            let number = pacing.sent(bytes, now);
            free = free.max(now) + Duration::from_micros(bytes as u64);
            now = free + Duration::from_millis(20);
            pacing.answered(number, now);
        }
        let rate = pacing.link().rate.unwrap();
        assert!((0.8e6..1.2e6).contains(&rate), "{rate}");
    }

    #[test]
    fn without_answers_it_stops() {
        let mut pacing = Pacing::default();
        let now = Instant::now();
        let mut sent = 0;
        while pacing.ready() {
            pacing.sent(1, now);
            sent += 1;
        }
        assert_eq!(sent, 3);
        pacing.answered(99, now);
        assert!(!pacing.ready());
        pacing.answered(2, now);
        assert!(pacing.ready());
    }
}
