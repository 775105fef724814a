//! A bound on what all documents hold in memory together.
//!
//! Most feeds are small and need no permission. One that grows beyond a size takes one of a few places for documents of
//! that size, and then of the next: always in this order, so that no two wait for each other. Reading a document costs
//! several times its bytes, so whoever reads keeps the [`Share`] meanwhile.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sizes from which a document needs a place, and how many there are.
const SIZES: [(usize, usize); 2] = [(256 << 10, 8), (2 << 20, 2)];

/// The places of large documents.
#[derive(Debug)]
pub(super) struct Memory {
    places: [Arc<Semaphore>; SIZES.len()],
}

/// A document's share of places and memory: given back when dropped.
#[derive(Debug, Default)]
pub struct Share {
    permits: Vec<OwnedSemaphorePermit>,
}

impl Share {
    /// Adds the place among all requests, once the document is there.
    pub(super) fn with(mut self, place: Option<OwnedSemaphorePermit>) -> Self {
        self.permits.extend(place);
        self
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { places: SIZES.map(|(_, places)| Arc::new(Semaphore::new(places))) }
    }

    /// Waits until a document may hold `bytes`.
    pub(super) async fn grow(&self, share: &mut Share, bytes: usize) {
        for ((size, _), places) in SIZES.iter().zip(&self.places).skip(share.permits.len()) {
            if bytes <= *size {
                return;
            }
            // Fails only on a closed semaphore, and nothing closes one.
            share.permits.extend(Arc::clone(places).acquire_owned().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Checks whether a document may grow to `bytes` at once.
    async fn check(memory: &Memory, share: &mut Share, bytes: usize, at_once: bool) {
        let grown = timeout(Duration::from_millis(20), memory.grow(share, bytes)).await;
        assert_eq!(grown.is_ok(), at_once, "{bytes}");
    }

    #[tokio::test(start_paused = true)]
    async fn small_documents_need_no_place() {
        let memory = Memory::new();
        let mut shares: Vec<Share> = (0..100).map(|_| Share::default()).collect();
        for share in &mut shares {
            check(&memory, share, 256 << 10, true).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn few_large_documents_grow_at_once_and_the_next_waits_for_an_end() {
        let memory = Memory::new();
        let (mut first, mut second, mut third) = Default::default();
        check(&memory, &mut first, 10 << 20, true).await;
        check(&memory, &mut second, 10 << 20, true).await;
        check(&memory, &mut third, 10 << 20, false).await;
        check(&memory, &mut third, 1 << 20, true).await;
        drop(first);
        check(&memory, &mut third, 10 << 20, true).await;
    }
}
