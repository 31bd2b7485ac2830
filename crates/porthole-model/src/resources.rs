//! Cores and memory: what a session needs and an agent has.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Processor cores in thousandths, so that sums are exact.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MilliCores(pub u32);

impl MilliCores {
    /// From whole cores; rounds to thousandths. `None` outside 0.001 to 1,024 cores.
    pub fn from_cores(cores: f64) -> Option<Self> {
        (0.001..=1024.0)
            .contains(&cores)
            .then(|| Self((cores * 1000.0).round() as u32))
    }

    /// As whole cores.
    pub fn cores(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl fmt::Display for MilliCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(100) {
            write!(f, "{:.1}", self.cores())
        } else {
            write!(f, "{}", self.cores())
        }
    }
}

/// Memory in bytes; shown in binary units.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// From binary mebibytes.
    pub const fn mib(mib: u64) -> Self {
        Self(mib * 1024 * 1024)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.0 as f64 / (1024.0 * 1024.0);
        if mib >= 1024.0 {
            write!(f, "{:.1} GiB", mib / 1024.0)
        } else {
            write!(f, "{mib:.0} MiB")
        }
    }
}

/// Cores and memory together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor time.
    pub cores: MilliCores,
    /// Memory.
    pub memory: Bytes,
}

impl Resources {
    /// What is left when `used` is taken away; never below zero.
    #[must_use]
    pub fn minus(self, used: Self) -> Self {
        Self {
            cores: MilliCores(self.cores.0.saturating_sub(used.cores.0)),
            memory: Bytes(self.memory.0.saturating_sub(used.memory.0)),
        }
    }

    /// The sum; stops at the largest number.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cores: MilliCores(self.cores.0.saturating_add(other.cores.0)),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_people_write_them() {
        assert_eq!(MilliCores(2000).to_string(), "2.0");
        assert_eq!(MilliCores(250).to_string(), "0.25");
        assert_eq!(Bytes::mib(512).to_string(), "512 MiB");
        assert_eq!(Bytes::mib(2768).to_string(), "2.7 GiB");
    }

    #[test]
    fn cores_outside_the_range_are_refused() {
        assert_eq!(MilliCores::from_cores(0.5), Some(MilliCores(500)));
        for bad in [0.0, -1.0, f64::NAN, 5000.0] {
            assert_eq!(MilliCores::from_cores(bad), None);
        }
    }
}
