//! Pushes as a subscriber judges them (§7): the signature comes before anything else.

use super::{FeedSubscription, HubSignature, SignatureMethod};
use bytes::Bytes;

/// A content distribution request to one of our callbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The unguessable part of the callback.
    pub token: String,
    /// The body, not compressed.
    pub body: Bytes,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// `X-Hub-Signature`, if there is exactly one.
    pub signature: Option<String>,
}

/// Why a push is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushFault {
    /// There is no signature, or one that cannot be read.
    Unsigned,
    /// The signature is not that of the body by our secret.
    Forged,
    /// The hub has signed with a stronger method before, or the weakest is not allowed.
    TooWeak,
    /// The subscription is not one that the hub may push to now.
    Unasked,
}

impl PushFault {
    /// Returns its word, for metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::TooWeak => "weak",
            Self::Unasked => "unasked",
        }
    }
}

/// Checks the signature of a push.
///
/// SHA-1 counts if `allows_sha1`, and as long as the hub has never signed with anything stronger: then it can.
///
/// # Errors
/// Why nothing of it may be used.
pub fn check_push(known: &FeedSubscription, push: &Push, allows_sha1: bool) -> Result<SignatureMethod, PushFault> {
    let signature = push.signature.as_deref().and_then(HubSignature::read).ok_or(PushFault::Unsigned)?;
    if !signature.is_of(known.secret.as_bytes(), &push.body) {
        return Err(PushFault::Forged);
    }
    let method = signature.method;
    if method == SignatureMethod::Sha1 && (!allows_sha1 || known.method > Some(method)) {
        return Err(PushFault::TooWeak);
    }
    // A hub may push before its verification is kept, and after the end of a lease that it reckons otherwise.
    if known.verified.is_none() || known.stage == super::SubscriptionStage::Denied {
        return Err(PushFault::Unasked);
    }
    Ok(method)
}

#[cfg(test)]
mod tests {
    use super::super::intent::tests::subscription;
    use super::super::signed_sha256;
    use super::*;
    use crate::feed::Timestamp;

    fn push(signature: Option<String>) -> Push {
        Push { token: "0123".into(), body: Bytes::from_static(b"<feed/>"), content_type: None, signature }
    }

    fn verified() -> FeedSubscription {
        FeedSubscription { verified: Some(Timestamp::UNIX_EPOCH), ..subscription() }
    }

    fn strong(key: &[u8]) -> String {
        format!("sha256={}", signed_sha256(key, b"<feed/>").unwrap())
    }

    /// HMAC-SHA1 of `<feed/>` by `secret`.
    const WEAK: &str = "sha1=f38e73e7d772790d36ded9be19b36748b2a27335";

    #[test]
    fn a_push_counts_if_it_is_signed_with_our_secret() {
        let check = |signature| check_push(&verified(), &push(signature), true);
        assert_eq!(check(Some(strong(b"secret"))), Ok(SignatureMethod::Sha256));
        assert_eq!(check(Some(strong(b"another"))), Err(PushFault::Forged));
        assert_eq!(check(Some("sha256=".into())), Err(PushFault::Forged));
        assert_eq!(check(Some("md5=00".into())), Err(PushFault::Unsigned));
        assert_eq!(check(None), Err(PushFault::Unsigned));
    }

    #[test]
    fn sha1_counts_only_from_hubs_that_never_used_better() {
        let weak = push(Some(WEAK.into()));
        assert_eq!(check_push(&verified(), &weak, true), Ok(SignatureMethod::Sha1));
        assert_eq!(check_push(&verified(), &weak, false), Err(PushFault::TooWeak));
        let better = FeedSubscription { method: Some(SignatureMethod::Sha256), ..verified() };
        assert_eq!(check_push(&better, &weak, true), Err(PushFault::TooWeak));
    }

    #[test]
    fn nothing_counts_before_the_hub_has_verified_the_subscription() {
        assert_eq!(check_push(&subscription(), &push(Some(strong(b"secret"))), true), Err(PushFault::Unasked));
    }
}
