//! How many updates may be on the way to a viewer: enough to keep the line busy, too few to make a
//! queue. Learned from when the viewer's answers to fences come, as is the line's rate.

use porthole_encode::Link;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Updates on the way at the start.
const FIRST_LIMIT: f64 = 3.0;
const MAX_LIMIT: f64 = 24.0;
/// An answer later than this after the quickest means that a queue builds up somewhere.
const SLACK: Duration = Duration::from_millis(40);
/// The quickest answer is forgotten after so many, since lines change.
const WINDOW: u32 = 240;
/// Fewer bytes on the way tell nothing of the line's rate.
const MIN_MEASURED: usize = 4096;
/// The rate is told after so many answers.
const MIN_ANSWERS: u32 = 8;

/// What is on the way.
#[derive(Debug)]
pub struct Pacing {
    waiting: VecDeque<Sent>,
    next: u32,
    limit: f64,
    quickest: Option<Duration>,
    next_quickest: Option<Duration>,
    answers: u32,
    /// No second cut for what was sent before the first one.
    cut_until: u32,
    /// Seconds that a byte takes, over the last answers.
    byte_time: f64,
    measured: u32,
    /// No update could go for a while since the last one went.
    held: bool,
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
            quickest: None,
            next_quickest: None,
            answers: 0,
            cut_until: 0,
            byte_time: 0.0,
            measured: 0,
            held: false,
        }
    }
}

impl Pacing {
    /// Whether another update may go.
    pub fn ready(&self) -> bool {
        (self.waiting.len() as f64) < self.limit
    }

    /// What is known of the line, for the next update.
    pub fn link(&self) -> Link {
        let known = self.measured >= MIN_ANSWERS && self.byte_time > 0.0;
        Link {
            rate: known.then(|| 1.0 / self.byte_time),
            held: self.held,
        }
    }

    /// An update of so many bytes goes now; gives the number for its fence.
    pub fn sent(&mut self, bytes: usize, now: Instant) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let before: usize = self.waiting.iter().map(|sent| sent.bytes).sum();
        self.waiting.push_back(Sent {
            number,
            at: now,
            bytes,
            ahead: before + bytes,
        });
        self.held = !self.ready();
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
            let byte_time = took.saturating_sub(quickest).as_secs_f64() / sent.ahead as f64;
            self.byte_time += (byte_time - self.byte_time) / 8.0;
            self.measured = self.measured.saturating_add(1);
        }
        self.answers += 1;
        if self.answers >= WINDOW {
            self.answers = 0;
            self.quickest = self.next_quickest.take();
        }
        let recent = number.wrapping_sub(self.cut_until) < u32::MAX / 2;
        if took > quickest * 2 + SLACK {
            if recent {
                self.limit = (self.limit * 0.6).max(1.0);
                self.cut_until = self.next;
            }
        } else if busy {
            self.limit = (self.limit + 1.0 / self.limit).min(MAX_LIMIT);
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
