//! A value that is read while it is replaced, without a lock. The home of `arc_swap`.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// A value that is read while it is replaced.
#[derive(Debug, Default)]
pub struct Swapped<T> {
    value: ArcSwap<T>,
}

impl<T> Swapped<T> {
    /// Takes the first value.
    pub fn new(value: T) -> Self {
        Self { value: ArcSwap::from_pointee(value) }
    }

    /// Returns the value as it is now.
    pub fn load(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// Returns the value as it is now, to be held for the time of one answer: cheaper than [`Swapped::load`].
    pub(super) fn glance(&self) -> Guard<Arc<T>> {
        self.value.load()
    }

    /// Replaces the value. Code that has loaded the old one keeps it.
    pub fn store(&self, value: T) {
        self.value.store(Arc::new(value));
    }
}
