//! How a source is reached: what its requests carry beyond the usual, secrets among it, and which way they take.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::diagnostic::Problems;
use super::keys::{AUTH, Key};
use super::nearest::nearest;
use super::section::{Section, kind_of, text, unfit, words};
use super::tree::{Name, Node, Value};

/// How a source is asked: what its requests carry, and which way they take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Request headers of its own, sent to its own host only.
    pub headers: Vec<(String, Secret)>,
    /// Name and password, sent to its own host only.
    pub auth: Option<Auth>,
    /// What it is told that we are, if not the usual.
    pub user_agent: Option<String>,
    /// Through which proxy.
    pub proxy: Proxy,
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// Name and password (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Without `:`.
    pub user: String,
    /// For its host's eyes.
    pub password: Secret,
}

/// What nobody but one host may see; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// As written.
    Text(String),
    /// What a file holds, read before each request, so that it can be changed without a reload.
    File(PathBuf),
    /// What systemd hands over under this name (`LoadCredential`, in `$CREDENTIALS_DIRECTORY`).
    Credential(String),
}

/// Through which proxy requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Proxy {
    /// Through none, whatever the environment says.
    #[default]
    None,
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through the one with this address (see [`proxy_server`]), which may hold a name and password.
    Server(Secret),
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

/// Reads what a `[[feed]]` says of it; `proxy` is that of `[poll]`, `folder` what paths are relative to.
pub(super) fn access(section: &Section<'_>, proxy: &Proxy, folder: &Path, problems: &mut Problems) -> Option<Access> {
    let headers = section.read_with("headers", problems, |node, key, problems| headers(node, key, folder, problems));
    let auth = match section.node("auth") {
        None => Some(None),
        Some(node) => auth(node, folder, problems).map(Some),
    };
    let user_agent = match section.node("user_agent") {
        None => Some(None),
        Some(_) => section.read("user_agent", user_agent, problems).map(Some),
    };
    let proxy = match section.node("proxy") {
        None => Some(proxy.clone()),
        Some(_) => section.read_with("proxy", problems, |node, key, problems| self::proxy(node, key, folder, problems)),
    };
    let ca_file = match section.node("ca_file") {
        None => Some(None),
        Some(_) => section.read("ca_file", text, problems).map(|path| Some(folder.join(path))),
    };
    Some(Access { headers: headers?, auth: auth?, user_agent: user_agent?, proxy: proxy?, ca_file: ca_file? })
}

/// An address or where to find it, `"environment"`, or `""` for none.
pub(super) fn proxy(node: &Node, key: &Key, folder: &Path, problems: &mut Problems) -> Option<Proxy> {
    if matches!(node.value, Value::Table(_)) {
        return secret(node, folder, problems).map(Proxy::Server);
    }
    let text = words(node, key, problems)?;
    match text.as_str() {
        "" => return Some(Proxy::None),
        "environment" => return Some(Proxy::Environment),
        address if proxy_server(address).is_some() => return Some(Proxy::Server(Secret::Text(text))),
        _ => {}
    }
    let error = problems.error(&node.span, format!("`{}` must be {}", key.name, key.kind.wanted()));
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

/// Headers that are the program's own to set: validators, length, connection.
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
fn headers(node: &Node, key: &Key, folder: &Path, problems: &mut Problems) -> Option<Vec<(String, Secret)>> {
    let Value::Table(entries) = &node.value else { return unfit(node, key, problems) };
    let mut headers = Vec::new();
    for (name, node) in entries {
        let value = secret(node, folder, problems)?;
        if is_header_name(name, problems) && is_header_value(&name.text, &value, node, problems) {
            headers.push((name.text.clone(), value));
        }
    }
    Some(headers)
}

fn is_header_name(name: &Name, problems: &mut Problems) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.text.is_empty() || !name.text.bytes().all(is_token) {
        problems.error(&name.span, format!("`{}` is no name of a header", name.text));
        return false;
    }
    if OWN_HEADERS.contains(&name.text.to_lowercase().as_str()) {
        problems.error(&name.span, format!("header `{}` is set by veille itself", name.text)).help("take it out");
        return false;
    }
    true
}

fn is_header_value(name: &str, value: &Secret, node: &Node, problems: &mut Problems) -> bool {
    match value {
        Secret::Text(text) if !is_visible(text) => {
            let error = problems.error(&node.span, format!("header `{name}` cannot hold this value"));
            error.help("write ASCII on one line");
            false
        }
        Secret::Text(_) | Secret::File(_) | Secret::Credential(_) => true,
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t')
}

fn user_agent(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    let text = text(node, key, problems)?;
    if is_visible(&text) {
        return Some(text);
    }
    problems.error(&node.span, "`user_agent` cannot hold this value").help("write ASCII on one line");
    None
}

fn auth(node: &Node, folder: &Path, problems: &mut Problems) -> Option<Auth> {
    let Value::Table(entries) = &node.value else {
        let error = problems.error(&node.span, format!("`auth` must be a table, not {}", kind_of(node)));
        error.help("write `auth = { user = \"…\", password = { file = \"…\" } }`");
        return None;
    };
    let section = Section::new(&AUTH, entries, node.span.clone(), problems);
    for key in ["user", "password"] {
        if section.node(key).is_none() {
            section.missing(key, problems);
        }
    }
    let user = section.read("user", user, problems);
    let password = section.read_with("password", problems, |node, _, problems| secret(node, folder, problems));
    Some(Auth { user: user?, password: password? })
}

fn user(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    let user = text(node, key, problems)?;
    if user.contains(':') {
        problems.error(&node.span, "`user` cannot hold `:`, which parts name and password (RFC 7617)");
        return None;
    }
    Some(user)
}

/// A text, `{ file = "…" }` or `{ credential = "…" }`.
fn secret(node: &Node, folder: &Path, problems: &mut Problems) -> Option<Secret> {
    match &node.value {
        Value::Text(text) => return Some(Secret::Text(text.clone())),
        Value::Table(entries) => {
            if let [(name, Node { value: Value::Text(text), .. })] = entries.as_slice() {
                match name.text.as_str() {
                    "file" => {
                        let path = folder.join(text);
                        warn_if_missing(&path, node, problems);
                        return Some(Secret::File(path));
                    }
                    "credential" if !text.is_empty() && !text.contains('/') => {
                        return Some(Secret::Credential(text.clone()));
                    }
                    _ => {}
                }
            }
        }
        Value::Whole(_) | Value::Decimal(_) | Value::Flag(_) | Value::Date | Value::List(_) => {}
    }
    let error = problems.error(&node.span, "this must be a text in quotes, or where to find it");
    error.help("write `\"…\"`, `{ file = \"path\" }` or `{ credential = \"name\" }` (systemd's `LoadCredential`)");
    None
}

/// Only a warning: the file may be another user's to see, and a feed that fails says so itself.
fn warn_if_missing(path: &Path, node: &Node, problems: &mut Problems) {
    if !path.exists() {
        let warning = problems.warning(&node.span, format!("there is no file `{}`", path.display()));
        warning.help("paths are relative to the folder of this config");
    }
}
