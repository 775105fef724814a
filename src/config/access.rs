//! Access to a source: headers, secrets, proxy.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::findings::Findings;
use super::keys::{Access, Auth};
use super::nearest::nearest;
use super::section::Section;
use super::table::{Key, KeyType};
use super::tree::{Literal, Name, Value};
use super::values::{note_unfit, read_line, read_text};

pub(super) const HEADERS: KeyType<Vec<(String, Secret)>> =
    KeyType::new("a table of texts: `{ Accept-Language = \"fr\" }`", headers);
pub(super) const AUTH: KeyType<Auth> = KeyType::new("a table", |literal, _, found| {
    let section = Section::of(Auth::TABLE, literal, found)?;
    Auth::read(&section, found)
});
/// Text that a header can hold.
pub(super) const VISIBLE: KeyType<String> = KeyType::new("a text in quotes", visible);
pub(super) const USER: KeyType<String> = KeyType::new("a text in quotes", user);
pub(super) const SECRET: KeyType<Secret> =
    KeyType::new("a text in quotes, `{ file = \"…\" }` or `{ credential = \"…\" }`", |literal, _, found| {
        secret(literal, found)
    });
/// The address of a PostgreSQL database, which may hold a password.
pub(super) const DATABASE: KeyType<Secret> = KeyType::new(
    "`\"postgresql://user@host/database\"`, `\"host=… dbname=…\"`, `{ file = \"…\" }` or `{ credential = \"…\" }`",
    database,
);
pub(super) const PROXY: KeyType<Proxy> =
    KeyType::new("the address of a proxy, `{ file = \"…\" }`, `\"environment\"`, or `\"\"` for none", proxy);

/// Reads how a source is asked.
pub(super) fn shared_access(section: &Section<'_>, found: &mut Findings<'_>) -> Option<Arc<Access>> {
    let access = Access::read(section, found)?;
    let shared = found.access.take().filter(|before| **before == access).unwrap_or_else(|| Arc::new(access));
    found.access = Some(Arc::clone(&shared));
    Some(shared)
}

/// A text that only one host may see; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// As written.
    Text(String),
    /// The content of a file, which is read before each request, so that it can be changed without a reload.
    File(PathBuf),
    /// The credential that systemd hands over under this name (`LoadCredential`, in `$CREDENTIALS_DIRECTORY`).
    Credential(String),
}

/// The proxy that requests go through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Proxy {
    /// None, whatever the environment says.
    #[default]
    None,
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// The one with this address (see [`proxy_server`]), which may hold a name and password.
    Server(Secret),
}

/// Most bytes that are read of a file with a secret.
const SECRET_BYTES_MAX: u64 = 1 << 16;

impl Secret {
    /// Reads the secret.
    ///
    /// # Errors
    /// Why it cannot be read, in one line.
    pub fn reveal(&self) -> Result<String, String> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path.clone(),
            Self::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    format!("credential `{name}`: $CREDENTIALS_DIRECTORY is not set, so systemd handed over none")
                })?;
                PathBuf::from(folder).join(name)
            }
        };
        let mut text = String::new();
        let file = std::fs::File::open(&path).map(|file| file.take(SECRET_BYTES_MAX));
        file.and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|error| format!("`{}`: {error}", path.display()))?;
        // Editors end files with a line end, which is no part of a password.
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => to.write_str("Text(…)"),
            Self::File(path) => write!(to, "File({})", path.display()),
            Self::Credential(name) => write!(to, "Credential({name})"),
        }
    }
}

fn proxy(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Proxy> {
    if matches!(literal.value, Value::Table(_)) {
        return secret(literal, found).map(Proxy::Server);
    }
    let text = read_line(literal, key, found)?;
    match text.as_str() {
        "" => return Some(Proxy::None),
        "environment" => return Some(Proxy::Environment),
        address if proxy_server(address).is_some() => return Some(Proxy::Server(Secret::Text(text))),
        _ => {}
    }
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    match nearest(&text, ["environment"].into_iter()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if text.starts_with("socks") => error.help("SOCKS is not supported; most such proxies speak HTTP as well"),
        None => error.help("write it with its scheme and port: `http://proxy.example.org:3128`"),
    };
    None
}

/// Reads the address of a proxy: with its scheme, http or https.
#[must_use]
pub fn proxy_server(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Headers that the program sets itself: validators, length, connection.
const OWN_HEADERS: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
    "te",
    "upgrade",
];

/// Names are tokens (RFC 9110 §5.6.2), values visible ASCII and blanks (§5.5).
fn headers(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<(String, Secret)>> {
    let Value::Table(entries) = &literal.value else { return note_unfit(literal, key, found) };
    let mut headers = Vec::new();
    for (name, literal) in entries {
        let value = secret(literal, found)?;
        if is_header_name(name, found) && is_header_value(&name.text, &value, literal, found) {
            headers.push((name.text.clone(), value));
        }
    }
    Some(headers)
}

fn is_header_name(name: &Name, found: &mut Findings<'_>) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.text.is_empty() || !name.text.bytes().all(is_token) {
        found.error(&name.span, format!("`{}` is no name of a header", name.text));
        return false;
    }
    if OWN_HEADERS.contains(&name.text.to_lowercase().as_str()) {
        found.error(&name.span, format!("header `{}` is set by veille itself", name.text)).help("take it out");
        return false;
    }
    true
}

fn is_header_value(name: &str, value: &Secret, literal: &Literal, found: &mut Findings<'_>) -> bool {
    match value {
        Secret::Text(text) if !is_visible(text) => {
            let error = found.error(&literal.span, format!("header `{name}` cannot hold this value"));
            error.help("write ASCII on one line");
            false
        }
        Secret::Text(_) | Secret::File(_) | Secret::Credential(_) => true,
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t')
}

fn visible(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let text = read_text(literal, key, found)?;
    if is_visible(&text) {
        return Some(text);
    }
    found.error(&literal.span, format!("`{}` cannot hold this value", key.name)).help("write ASCII on one line");
    None
}

fn user(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let user = read_text(literal, key, found)?;
    if user.contains(':') {
        let message = format!("`{}` cannot hold `:`, which parts name and password (RFC 7617)", key.name);
        found.error(&literal.span, message);
        return None;
    }
    Some(user)
}

fn database(literal: &Literal, _: &Key, found: &mut Findings<'_>) -> Option<Secret> {
    let secret = secret(literal, found)?;
    let is_address = |text: &str| {
        ["postgresql://", "postgres://"].iter().any(|scheme| text.starts_with(scheme)) || text.contains('=')
    };
    if let Secret::Text(text) = &secret
        && !is_address(text)
    {
        let error = found.error(&literal.span, "this is no address of a PostgreSQL database");
        error.help("write `\"postgresql://user@host/database\"` or `\"host=/run/postgresql dbname=database\"`");
        return None;
    }
    Some(secret)
}

/// A text, `{ file = "…" }` or `{ credential = "…" }`.
fn secret(literal: &Literal, found: &mut Findings<'_>) -> Option<Secret> {
    if let Some(text) = literal.text() {
        return Some(Secret::Text(text.to_owned()));
    }
    if let Value::Table(entries) = &literal.value
        && let [(name, value)] = entries.as_slice()
        && let Some(text) = value.text()
    {
        match name.text.as_str() {
            "file" => {
                let path = found.folder.join(text);
                warn_if_missing(&path, literal, found);
                return Some(Secret::File(path));
            }
            "credential" if !text.is_empty() && !text.contains('/') => {
                return Some(Secret::Credential(text.to_owned()));
            }
            _ => {}
        }
    }
    let error = found.error(&literal.span, "this must be a text in quotes, or where to find it");
    error.help("write `\"…\"`, `{ file = \"path\" }` or `{ credential = \"name\" }` (systemd's `LoadCredential`)");
    None
}

/// Only a warning, since another user may be the one who can see the file, and a feed without it says so itself.
fn warn_if_missing(path: &std::path::Path, literal: &Literal, found: &mut Findings<'_>) {
    if !path.exists() {
        let warning = found.warning(&literal.span, format!("there is no file `{}`", path.display()));
        warning.help("paths are relative to the folder of this config");
    }
}
