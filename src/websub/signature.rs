//! Signatures of what hubs deliver (§7.1): HMAC (RFC 2104). The home of `hmac` and `sha1`.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// A recognised algorithm (§7.1.1), the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureMethod {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A signature as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubSignature {
    /// Its algorithm.
    pub method: SignatureMethod,
    code: Vec<u8>,
}

impl HubSignature {
    /// Reads the value of `X-Hub-Signature`; `None` if it is of no recognised algorithm, or no hexadecimal.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let (method, code) = value.trim().split_once('=')?;
        let method = match method.trim().to_ascii_lowercase().as_str() {
            "sha1" => SignatureMethod::Sha1,
            "sha256" => SignatureMethod::Sha256,
            "sha384" => SignatureMethod::Sha384,
            "sha512" => SignatureMethod::Sha512,
            _ => return None,
        };
        let code = data_encoding::HEXLOWER_PERMISSIVE.decode(code.trim().as_bytes()).ok()?;
        Some(Self { method, code })
    }

    /// Whether it is that of `body` by `key`, compared in constant time.
    #[must_use]
    pub fn is_of(&self, key: &[u8], body: &[u8]) -> bool {
        match self.method {
            SignatureMethod::Sha1 => verify::<Hmac<Sha1>>(key, body, &self.code),
            SignatureMethod::Sha256 => verify::<Hmac<Sha256>>(key, body, &self.code),
            SignatureMethod::Sha384 => verify::<Hmac<Sha384>>(key, body, &self.code),
            SignatureMethod::Sha512 => verify::<Hmac<Sha512>>(key, body, &self.code),
        }
    }
}

fn verify<M: Mac + KeyInit>(key: &[u8], body: &[u8], code: &[u8]) -> bool {
    // A key may have any length, so the alternative is never taken.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.update(body);
    mac.verify_slice(code).is_ok()
}

/// HMAC-SHA256 in hexadecimal; `None` never, for a key may have any length.
#[must_use]
pub fn signed_sha256(key: &[u8], body: &[u8]) -> Option<String> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    hmac.update(body);
    Some(data_encoding::HEXLOWER.encode(&hmac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[track_caller]
    fn check(value: &str, is_good: bool) {
        let read = HubSignature::read(value);
        assert_eq!(read.is_some_and(|signature| signature.is_of(KEY, BODY)), is_good, "{value}");
    }

    #[test]
    fn the_recognised_algorithms_are_those_of_rfc_2202_and_4231() {
        // Test case 2 of both.
        check("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", true);
        check(&format!("sha256={SHA256}"), true);
        check(
            "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            true,
        );
        check(
            "sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            true,
        );
        assert_eq!(signed_sha256(KEY, BODY).as_deref(), Some(SHA256));
    }

    #[test]
    fn letters_may_be_of_either_case() {
        check(&format!("SHA256={}", SHA256.to_uppercase()), true);
    }

    #[test]
    fn a_signature_that_is_cut_longer_of_another_method_or_none_is_wrong() {
        check(&format!("sha256={}", &SHA256[..62]), false);
        check(&format!("sha256={SHA256}00"), false);
        check(&format!("sha512={SHA256}"), false);
        check(&format!("md5={SHA256}"), false);
        for value in ["", "=", "sha256", "sha256=", "sha256=zz", "sha256=é", SHA256] {
            check(value, false);
        }
    }
}
