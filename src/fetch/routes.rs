//! The ways out: one HTTP client for each pair of proxy and authorities, made when it is first asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder, NoProxy};
use url::Url;

use super::error::innermost;
use super::guard::Guard;
use super::{FetchError, KEEP_CONNECTION, Settings, headers};
use crate::config::{Access, Proxy};

/// A way to a source's server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Route {
    /// Through which proxy. It resolves the names, so only literal addresses can be refused then.
    pub proxy: Proxy,
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl From<&Access> for Route {
    fn from(access: &Access) -> Self {
        Self { proxy: access.proxy.clone(), ca_file: access.ca_file.clone() }
    }
}

/// Why no client could be made: nearly always, the machine has no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error(
    "HTTP client cannot start: {why}; https needs the system's certificates of authorities (Debian: `apt install ca-certificates`)"
)]
pub struct ClientError {
    /// What the library said.
    pub why: String,
}

/// The clients that were made.
#[derive(Debug)]
pub(super) struct Routes {
    settings: Settings,
    guard: Guard,
    straight: reqwest::Client,
    others: Mutex<HashMap<Route, reqwest::Client>>,
}

impl Routes {
    /// Makes the client of the plain route.
    pub(super) fn new(settings: &Settings, guard: &Guard) -> Result<Self, ClientError> {
        let builder = builder(settings).no_proxy().dns_resolver(guard.clone());
        let straight = builder.build().map_err(|error| ClientError { why: innermost(&error) })?;
        Ok(Self { settings: settings.clone(), guard: guard.clone(), straight, others: Mutex::default() })
    }

    /// Returns the client of a route. One that could not be made is tried again the next time.
    pub(super) async fn client(&self, route: &Route) -> Result<reqwest::Client, FetchError> {
        if *route == Route::default() {
            return Ok(self.straight.clone());
        }
        if let Some(client) = self.others().get(route) {
            return Ok(client.clone());
        }
        let mut builder = builder(&self.settings);
        if let Some(path) = &route.ca_file {
            builder = builder.tls_certs_merge(certificates(path).await?);
        }
        let servers = proxies(&route.proxy);
        builder = builder.no_proxy().dns_resolver(Names::new(&self.guard, &servers));
        for (scope, server) in &servers {
            builder = builder.proxy(proxy(*scope, server)?);
        }
        let client = builder.build().map_err(|error| unusable("route", innermost(&error)))?;
        self.others().insert(route.clone(), client.clone());
        Ok(client)
    }

    fn others(&self) -> MutexGuard<'_, HashMap<Route, reqwest::Client>> {
        // No code panics while it holds the lock.
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder(settings: &Settings) -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .default_headers(headers::always())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.per_host)
        .pool_idle_timeout(settings.host_delay.saturating_add(KEEP_CONNECTION))
        // Servers of all ages: what can be read all the same is read.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
}

/// Which requests a proxy carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    /// Those to `http`, unless `NO_PROXY` names the host.
    Http,
    /// Those to `https`, likewise.
    Https,
}

/// Returns the servers that a proxy setting means; what the environment says is read by us, so that it counts only
/// where the config asks for it.
fn proxies(proxy: &Proxy) -> Vec<(Scope, Url)> {
    let from = |names: [&str; 4]| {
        let value = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        Url::parse(&value).or_else(|_| Url::parse(&format!("http://{value}"))).ok()
    };
    match proxy {
        Proxy::None => Vec::new(),
        Proxy::Server(url) => vec![(Scope::All, url.clone())],
        Proxy::Environment => {
            let http = from(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]).map(|url| (Scope::Http, url));
            let https = from(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]).map(|url| (Scope::Https, url));
            http.into_iter().chain(https).collect()
        }
    }
}

fn proxy(scope: Scope, server: &Url) -> Result<reqwest::Proxy, FetchError> {
    let made = match scope {
        Scope::All => reqwest::Proxy::all(server.as_str()),
        Scope::Http => reqwest::Proxy::http(server.as_str()).map(|proxy| proxy.no_proxy(NoProxy::from_env())),
        Scope::Https => reqwest::Proxy::https(server.as_str()).map(|proxy| proxy.no_proxy(NoProxy::from_env())),
    };
    // The library's words may hold the address, and that a password.
    made.map_err(|_| unusable("proxy", format!("{} is no server's address", server.host_str().unwrap_or_default())))
}

/// Resolves names as the guard permits, and the operator's own proxies wherever they are.
#[derive(Debug, Clone)]
struct Names {
    guard: Guard,
    proxies: Arc<[String]>,
}

impl Names {
    fn new(guard: &Guard, servers: &[(Scope, Url)]) -> Self {
        let names = servers.iter().filter_map(|(_, server)| server.host_str().map(str::to_owned));
        Self { guard: guard.clone(), proxies: names.collect() }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        if self.proxies.iter().any(|proxy| proxy == name.as_str()) {
            return Guard::everywhere().resolve(name);
        }
        self.guard.resolve(name)
    }
}

/// Largest file of authorities. The system's own has 220 kB.
const CA_BYTES_MAX: u64 = 4 << 20;

async fn certificates(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let at_fault = |why: String| unusable("ca_file", format!("`{}`: {why}", path.display()));
    let pem = super::request::read(path, CA_BYTES_MAX).await.map_err(at_fault)?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| at_fault(innermost(&error)))?;
    // The library takes a file without any certificate for an empty list.
    if certificates.is_empty() {
        return Err(at_fault("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

fn unusable(key: &'static str, why: String) -> FetchError {
    FetchError::Access { key, why }
}
