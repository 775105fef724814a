//! stub
use crate::feed::Entry;
use crate::story::*;
use sha2::{Digest, Sha256};
pub enum Decision {
    New,
    Same(i64),
    Changed(i64),
}
fn h(s: &str) -> [u8; 16] {
    let d = Sha256::digest(s);
    let mut o = [0; 16];
    o.copy_from_slice(&d[..16]);
    o
}
fn c(e: &Entry) -> Option<String> {
    e.url.as_ref().map(|u| {
        let mut u = u.clone();
        u.set_query(None);
        u.to_string()
    })
}
pub fn identify(s: &str, e: Vec<Entry>) -> Vec<(Entry, Identity)> {
    e.into_iter()
        .map(|e| {
            let k = e.id.clone().or(e.url.as_ref().map(|u| u.to_string())).unwrap_or_else(|| format!("{:?}", e.title));
            let id = Identity {
                key: EntryKey(h(&k)),
                guid_key: None,
                fingerprint: Fingerprint(h(&format!("{:?}{:?}{:?}", e.title, e.summary, e.content))),
                canonical_link: c(&e),
                atom_id: if k.contains(':') { k.clone() } else { own_atom_id(s, EntryKey(h(&k))) },
                clues: c(&e).map(|u| i64::from_le_bytes(h(&u)[..8].try_into().unwrap())).into_iter().collect(),
            };
            (e, id)
        })
        .collect()
}
pub fn decide(i: &Identity, k: &[Known]) -> Decision {
    match k.iter().find(|k| k.key == i.key) {
        None => Decision::New,
        Some(k) if k.fingerprint == i.fingerprint => Decision::Same(k.number),
        Some(k) => Decision::Changed(k.number),
    }
}
pub fn is_significant(_a: &Entry, _b: &Entry) -> bool {
    true
}
pub fn own_atom_id(s: &str, k: EntryKey) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("{s}{k:?}").as_bytes()).urn().to_string()
}
pub fn story_of(_s: &str, e: &Entry, cs: &[StoredEntry]) -> Option<(i64, Sameness)> {
    cs.iter().find(|x| c(&x.entry) == c(e)).map(|x| (x.story, Sameness::Link))
}
