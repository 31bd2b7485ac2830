//! The host's load, from `/proc` (proc(5)) and the file system of the engine's root.

use porthole_model::resources::{Bytes, MilliCores};
use std::{path::PathBuf, sync::Mutex, sync::PoisonError, time::Duration};

/// Load at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Cores in use, of those the host has.
    pub cores_used: MilliCores,
    /// Memory that cannot be given to a program without taking it from another.
    pub memory_used: Bytes,
    /// Size of the engine's disk.
    pub disk: Bytes,
    /// Used space on it.
    pub disk_used: Bytes,
}

/// Processor time since boot, in ticks over all cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    all: u64,
}

/// Samples the host's load.
#[derive(Debug, Default)]
pub(crate) struct Host {
    before: Mutex<Ticks>,
    load: Mutex<Load>,
}

impl Host {
    /// The last sample.
    pub fn load(&self) -> Load {
        *self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample. A disk that hangs leaves its numbers as they were.
    pub async fn sample(&self, engine_root: PathBuf) {
        let stat = tokio::fs::read_to_string("/proc/stat")
            .await
            .unwrap_or_default();
        let meminfo = tokio::fs::read_to_string("/proc/meminfo")
            .await
            .unwrap_or_default();
        let disk = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&engine_root).ok());
        let disk = tokio::time::timeout(Duration::from_secs(2), disk).await;
        let mut load = self.load();
        if let Some(now) = ticks(&stat) {
            let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
            let cores = stat.lines().filter(|line| is_core(line)).count() as u64;
            load.cores_used = used(*before, now, cores);
            *before = now;
        }
        if let Some(used) = memory_used(&meminfo) {
            load.memory_used = used;
        }
        if let Ok(Ok(Some(disk))) = disk {
            load.disk = Bytes(disk.f_blocks.saturating_mul(disk.f_frsize));
            let free = disk.f_bfree.saturating_mul(disk.f_frsize);
            load.disk_used = Bytes(load.disk.0.saturating_sub(free));
        }
        *self.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
    }
}

/// The host's name.
pub(crate) async fn hostname() -> String {
    let name = tokio::fs::read_to_string("/proc/sys/kernel/hostname")
        .await
        .unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "unknown".to_owned()
    } else {
        name.to_owned()
    }
}

fn is_core(line: &str) -> bool {
    line.strip_prefix("cpu")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The first line: user nice system idle iowait irq softirq steal …
fn ticks(stat: &str) -> Option<Ticks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // Guest time, from the ninth on, is in user time already.
    let numbers: Vec<u64> = line
        .split_ascii_whitespace()
        .take(8)
        .map_while(|n| n.parse().ok())
        .collect();
    let all = numbers.iter().sum();
    let idle = numbers.get(3)? + numbers.get(4).copied().unwrap_or(0);
    Some(Ticks {
        busy: all - idle,
        all,
    })
}

fn used(before: Ticks, now: Ticks, cores: u64) -> MilliCores {
    // iowait may run backwards (proc(5)).
    let all = now.all.saturating_sub(before.all);
    let busy = now.busy.saturating_sub(before.busy).min(all);
    if before.all == 0 || all == 0 {
        return MilliCores(0);
    }
    MilliCores(u32::try_from(busy * cores * 1000 / all).unwrap_or(u32::MAX))
}

fn memory_used(meminfo: &str) -> Option<Bytes> {
    let kib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .split_ascii_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    };
    Some(Bytes(
        kib("MemTotal")?.saturating_sub(kib("MemAvailable")?) * 1024,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 50 0 50 350 50 0 0 0 0 0\ncpu1 50 0 50 350 50 0 0 0 0 0\nintr 5\n";

    #[test]
    fn busy_time_is_all_but_idle_and_waiting() {
        let now = ticks(STAT).unwrap();
        assert_eq!(
            now,
            Ticks {
                busy: 200,
                all: 1000
            }
        );
        let before = Ticks {
            busy: 100,
            all: 800,
        };
        assert_eq!(used(before, now, 2), MilliCores(1000));
        assert_eq!(
            used(Ticks::default(), now, 2),
            MilliCores(0),
            "the first sample has no before"
        );
        assert_eq!(used(now, now, 2), MilliCores(0));
    }

    #[test]
    fn memory_in_use_is_what_is_not_available() {
        let meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n";
        assert_eq!(memory_used(meminfo), Some(Bytes(600 * 1024)));
        assert_eq!(memory_used("nonsense"), None);
    }

    #[tokio::test]
    async fn this_host_has_numbers() {
        let host = Host::default();
        host.sample("/".into()).await;
        let load = host.load();
        assert!(
            load.memory_used.0 > 0 && load.disk.0 > load.disk_used.0,
            "{load:?}"
        );
        assert!(!hostname().await.is_empty());
    }
}
