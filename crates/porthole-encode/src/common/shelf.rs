//! Things made of one picture of the screen, each once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Keeps what was made of the newest picture, by what it is.
pub(crate) struct Shelf<K, V> {
    kept: Mutex<Kept<K, V>>,
    most: usize,
    weight: fn(&V) -> usize,
}

struct Kept<K, V> {
    /// Which picture; they only get newer.
    generation: u64,
    things: HashMap<K, Arc<OnceLock<V>>>,
    weight: usize,
}

impl<K: Eq + Hash, V: Clone> Shelf<K, V> {
    /// Keeps about so much at most.
    pub(crate) fn new(most: usize, weight: fn(&V) -> usize) -> Self {
        Self {
            kept: Mutex::new(Kept {
                generation: 0,
                things: HashMap::new(),
                weight: 0,
            }),
            most,
            weight,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back all.
    pub(crate) fn clear(&self) {
        let mut kept = self.kept();
        kept.things = HashMap::new();
        kept.weight = 0;
    }

    /// What was made of a picture, or is made now; who comes meanwhile waits for it.
    pub(crate) fn take(&self, generation: u64, key: K, make: impl FnOnce() -> V) -> V {
        let place = {
            let mut kept = self.kept();
            if generation > kept.generation || kept.weight > self.most {
                kept.generation = generation;
                kept.things.clear();
                kept.weight = 0;
            }
            if generation < kept.generation {
                drop(kept);
                return make();
            }
            kept.things.entry(key).or_default().clone()
        };
        let mut made = false;
        let thing = place
            .get_or_init(|| {
                made = true;
                make()
            })
            .clone();
        if made {
            let mut kept = self.kept();
            if kept.generation == generation {
                kept.weight = kept.weight.saturating_add((self.weight)(&thing));
            }
        }
        thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn each_thing_is_made_once_a_picture() {
        let shelf = Shelf::new(100, |_: &u64| 1);
        let made = AtomicUsize::new(0);
        for generation in [1, 2] {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for key in 0..10 {
                            let got = shelf.take(generation, key, || {
                                made.fetch_add(1, Ordering::Relaxed);
                                generation * 100 + key
                            });
                            assert_eq!(got, generation * 100 + key);
                        }
                    });
                }
            });
        }
        assert_eq!(made.load(Ordering::Relaxed), 20);
        // Who still draws an older picture makes its own.
        assert_eq!(shelf.take(1, 3, || 7), 7);
        assert_eq!(shelf.take(2, 3, || 8), 203);
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let shelf = Shelf::new(1000, |thing: &Vec<u8>| thing.len());
        for key in 0..1000 {
            shelf.take(1, key, || vec![0; 90]);
            let held: usize = shelf
                .kept()
                .things
                .values()
                .filter_map(|thing| thing.get())
                .map(Vec::len)
                .sum();
            assert!(held <= 1090, "{held}");
        }
    }
}
