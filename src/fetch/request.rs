//! Requests, and the secrets that go with them, read when they are needed.
//!
//! Secrets are not read with the config: they can change without a reload, and a missing one fails one feed only.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt;
use url::Url;

use super::routes::Route;
use super::{FetchError, way};
use crate::config::{Auth, Secret, Source};
use crate::state::Validators;

/// Longest secret.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Largest other file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A request for a document.
#[derive(Clone)]
pub struct Request {
    /// Where to begin: the source's URL, or the address adopted in its place.
    pub url: Url,
    /// The source's URL as configured: `headers` and `auth` are sent to its host only.
    pub own: Url,
    /// Name and password as they are, sent in UTF-8 (RFC 7617 §2.1). A header `Authorization` goes before them.
    pub auth: Option<(String, String)>,
    /// Request headers of the source.
    pub headers: Vec<(String, String)>,
    /// The validators known of the source, by URL.
    pub validators: Vec<Validators>,
    /// The way to it.
    pub route: Route,
}

impl Request {
    /// Asks for `url` for the first time, with the name and password that it may hold.
    #[must_use]
    pub fn new(url: Url) -> Self {
        let auth = user_info(&url);
        Self { own: url.clone(), url, auth, headers: Vec::new(), validators: Vec::new(), route: Route::default() }
    }

    /// Asks for a source at `url`, which is its own or one adopted in its place.
    ///
    /// # Errors
    /// [`FetchError::Access`] when a secret cannot be read.
    pub async fn of(source: &Source, url: Url, validators: Vec<Validators>) -> Result<Self, FetchError> {
        let mut headers = Vec::new();
        for (name, value) in &source.access.headers {
            headers.push((name.clone(), secret("headers", value).await?));
        }
        if let Some(user_agent) = &source.access.user_agent {
            headers.push(("User-Agent".to_owned(), user_agent.clone()));
        }
        let auth = match &source.access.auth {
            Some(Auth { user, password }) => Some((user.clone(), secret("auth", password).await?)),
            None => None,
        };
        Ok(Self { url, own: source.url.clone(), auth, headers, validators, route: Route::from(&*source.access) })
    }
}

/// Returns the name and password that a URL holds, where some characters are escaped (RFC 3986 §3.2.1).
fn user_info(url: &Url) -> Option<(String, String)> {
    let plain = |written: &str| percent_encoding::percent_decode_str(written).decode_utf8_lossy().into_owned();
    let is_there = !url.username().is_empty() || url.password().is_some();
    is_there.then(|| (plain(url.username()), plain(url.password().unwrap_or_default())))
}

/// Reads a secret as it is at the moment. `key` names it in errors.
///
/// # Errors
/// [`FetchError::Access`] when it cannot be read.
pub async fn secret(key: &'static str, secret: &Secret) -> Result<String, FetchError> {
    let path = match secret {
        Secret::Text(text) => return Ok(text.clone()),
        Secret::File(path) => path.clone(),
        Secret::Credential(name) => credential(name).ok_or_else(|| FetchError::Access {
            key,
            why: format!("credential `{name}`: $CREDENTIALS_DIRECTORY is not set, so systemd handed over none"),
        })?,
    };
    let bytes = read_file(&path, SECRET_BYTES_MAX).await.map_err(|error| unreadable(key, &path, &error))?;
    let not_text = |_| FetchError::Access { key, why: format!("`{}`: it is not UTF-8", path.display()) };
    // Editors end files with a line end, which is no part of a password.
    let text = String::from_utf8(bytes).map_err(not_text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads a file that the config names, such as one of authorities.
///
/// # Errors
/// [`FetchError::Access`] when it cannot be read.
pub async fn file(key: &'static str, path: &Path) -> Result<Vec<u8>, FetchError> {
    read_file(path, FILE_BYTES_MAX).await.map_err(|error| unreadable(key, path, &error))
}

fn credential(name: &str) -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name))
}

/// Reads a file of the operator's, at most `bytes_max` of it.
pub(super) async fn read_file(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await?.take(bytes_max).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Says why a file of the operator's could not be read.
pub(super) fn unreadable(key: &'static str, path: &Path, error: &io::Error) -> FetchError {
    let why = format!("`{}`: {error}", path.display());
    if way::is_lack(error) { FetchError::Lack { why } } else { FetchError::Access { key, why } }
}
