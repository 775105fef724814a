//! The client: one request after the other until there is an answer, each behind the guard and in its host's turn.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout};
use url::Url;

use super::body::{self, BodyFault, Vessel};
use super::error::{Endpoint, FetchError, Phase, RedirectFault, Timeouts, host, shown_url};
use super::guard::Guard;
use super::hosts::{Clock, Gate, Postponed, Visit};
use super::leases::Leases;
use super::memory::{Memory, Share};
use super::routes::{ClientError, Outlet, Routes};
use super::{Answer, Document, Fetched, Hop, Request, Route, Settings, headers, redirect, waits};
use crate::feed::Timestamp;
use crate::state::{Granted, LeaseAnswer, LeaseRequest, Throttle, Validators, Wait};

/// Fetches, with one pool of connections and one gate for all.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    routes: Routes,
    guard: Guard,
    gate: Gate,
    memory: Memory,
    limits: Timeouts,
    leases: Option<Arc<Leases>>,
}

/// The result of one request.
enum Step {
    Redirected { hop: Hop, to: Url, asks: Vec<Wait> },
    Answered { answer: Answer, validators: Vec<Validators>, asks: Vec<Wait>, date: Option<Timestamp>, share: Share },
}

/// The time left for one fetch; only waiting for the other side uses it up.
pub(super) struct Time {
    left: Duration,
    clock: Clock,
}

impl Time {
    pub(super) fn new(left: Duration, clock: Clock) -> Self {
        Self { left, clock }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let began = Instant::now();
        let done = timeout(self.left, work).await.ok();
        self.left = self.left.saturating_sub(began.elapsed());
        done
    }
}

impl Client {
    /// Makes a client.
    ///
    /// # Errors
    /// If the machine has no certificates of authorities.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Self::sharing(settings, None)
    }

    /// Makes a client that asks a host only while its lease is held, as with several nodes on one store.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn sharing(settings: &Settings, leases: Option<Arc<Leases>>) -> Result<Self, ClientError> {
        let guard = Guard::new(&settings.allow_networks);
        let limits = Timeouts { connect: settings.connect_timeout, idle: settings.idle_timeout };
        Ok(Self {
            routes: Routes::new(settings, &guard)?,
            guard,
            gate: Gate::new(settings.concurrency, settings.per_host, settings.host_delay, leases.clone()),
            memory: Memory::new(),
            limits,
            leases,
            settings: settings.clone(),
        })
    }

    /// Returns the settings that it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Asks for `url` for the first time, the way that is usual.
    #[must_use]
    pub fn request(&self, url: Url) -> Request {
        Request { route: self.usual_route(), ..Request::new(url) }
    }

    fn usual_route(&self) -> Route {
        Route { proxy: self.settings.proxy.clone(), ca_file: None }
    }

    /// Leaves a host alone that asked for it.
    pub fn postpone(&self, throttle: &Throttle, now: Timestamp) {
        self.gate.postpone(&throttle.host, throttle.until, now);
    }

    /// Returns the leases of this node, where several nodes share a store.
    pub fn leases(&self) -> Option<&Arc<Leases>> {
        self.leases.as_ref()
    }

    /// Adds to a request for leases what is urgent, kept and given back.
    pub fn ask_leases(&self, request: &mut LeaseRequest) {
        request.gap = self.settings.host_delay;
        if let Some(leases) = &self.leases {
            leases.ask(request, |host| self.gate.gap_left(host));
        }
    }

    /// Takes the store's answer to a request that was made at `asked`; `now` is the time by the store's clock.
    pub fn take_leases(&self, asked: Instant, request: &LeaseRequest, answer: &LeaseAnswer, now: Timestamp) {
        for Granted { hold, free_in, throttled_until } in &answer.granted {
            self.gate.delay(&hold.name, *free_in, now);
            if let Some(until) = throttled_until {
                self.gate.postpone(&hold.name, *until, now);
            }
        }
        if let Some(leases) = &self.leases {
            leases.answer(asked, request, answer);
        }
    }

    /// Asks a host again that was left alone.
    pub fn lift(&self, host: &str) {
        self.gate.lift(host);
    }

    /// Fetches `request`, following redirects, each in its host's turn.
    ///
    /// A host that answers 429 or 503 with `Retry-After` is postponed for all its feeds.
    ///
    /// # Errors
    /// If neither a document nor "not modified" came: see [`FetchError`].
    ///
    /// # Cancellation
    /// Writes nothing: a dropped fetch leaves no trace but the request that was sent.
    pub async fn fetch(&self, request: &Request, now: Timestamp) -> Result<Fetched, FetchError> {
        let mut url = redirect::without_user_info(&request.url);
        let mut hops: Vec<Hop> = Vec::new();
        let mut waits = Vec::new();
        let outlet = self.routes.client(&request.route).await?;
        let mut time = Time { left: self.settings.timeout, clock: Clock::new(now) };
        loop {
            match self.step(&outlet, request, &url, &mut time).await? {
                Step::Answered { answer, validators, asks, date, share } => {
                    waits.extend(asks);
                    return Ok(Fetched { answer, url, hops, validators, asks: waits, date, share });
                }
                Step::Redirected { hop, to, asks } => {
                    waits.extend(asks);
                    hops.push(hop);
                    url = follow(&hops, to)?;
                }
            }
        }
    }

    /// Tells a `WebSub` hub that the documents at `topics` have changed (publishing, as `PubSubHubbub` 0.4 §7.1 has it).
    ///
    /// # Errors
    /// If the answer is not a success. A redirect is none: a hub's address is what its operator says.
    pub async fn announce(&self, hub: &Url, topics: &[String], now: Timestamp) -> Result<(), FetchError> {
        self.guard.check(hub)?;
        let mut time = Time { left: self.settings.timeout, clock: Clock::new(now) };
        let visit = self.enter(hub, time.clock).await?;
        let outlet = self.routes.client(&self.usual_route()).await?;
        let request = outlet.http(false).post(hub.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = time.within(request.body(publication(topics)).send()).await.ok_or_else(|| self.too_slow(hub))?;
        let response = response.map_err(|error| FetchError::before_answer(hub, &error, self.limits, &outlet))?;
        drop(visit);
        self.check_peer(hub, &response, &outlet)?;
        let status = response.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(self.refusal(hub, status.as_u16(), response.headers(), time.clock))
        }
    }

    /// Returns the way to a URL that may be asked.
    pub(super) async fn way(&self, url: &Url, route: &Route) -> Result<Outlet, FetchError> {
        self.guard.check(url)?;
        let outlet = self.routes.client(route).await?;
        outlet.check(url)?;
        Ok(outlet)
    }

    pub(super) fn before_answer(&self, url: &Url, error: &reqwest::Error, outlet: &Outlet) -> FetchError {
        FetchError::before_answer(url, error, self.limits, outlet)
    }

    pub(super) async fn enter(&self, url: &Url, clock: Clock) -> Result<Visit, FetchError> {
        let host = host(url);
        let visit = self.gate.enter(&host, clock).await;
        visit.map_err(|postponed| match postponed {
            Postponed::Until(until) => FetchError::Postponed { host, until },
            Postponed::Elsewhere => FetchError::Elsewhere { host },
        })
    }

    /// Makes one request in its host's turn, within what is left of the `time`.
    async fn step(&self, outlet: &Outlet, request: &Request, url: &Url, time: &mut Time) -> Result<Step, FetchError> {
        self.guard.check(url)?;
        outlet.check(url)?;
        let visit = self.enter(url, time.clock).await?;
        // Boxed, so that a fetch that waits for its turn, one of thousands, stays small.
        let is_kept = visit.keeps_connection();
        let step = Box::pin(self.exchange(outlet, request, url, is_kept, time)).await?;
        let place = visit.end();
        Ok(match step {
            Step::Answered { answer, validators, asks, date, share } => {
                Step::Answered { answer, validators, asks, date, share: share.with(place) }
            }
            redirected @ Step::Redirected { .. } => redirected,
        })
    }

    async fn exchange(
        &self,
        outlet: &Outlet,
        request: &Request,
        url: &Url,
        is_kept: bool,
        time: &mut Time,
    ) -> Result<Step, FetchError> {
        let sent = headers::known(&request.validators, url);
        let is_own = redirect::is_own(&request.own, url);
        let headers = headers::conditional(sent, headers::extra(is_own.then_some(&*request.headers))?);
        let auth = request.auth.as_ref().filter(|_| is_own && !headers.contains_key(AUTHORIZATION));
        let mut asked = outlet.http(is_kept).get(url.clone()).headers(headers);
        if let Some((user, password)) = auth {
            asked = asked.basic_auth(user, Some(password));
        }
        let response = time.within(asked.send()).await;
        let response = response.ok_or_else(|| self.too_slow(url))?;
        let response = response.map_err(|error| FetchError::before_answer(url, &error, self.limits, outlet))?;
        self.check_peer(url, &response, outlet)?;
        let (status, now) = (response.status().as_u16(), time.clock.now());
        let delta_asked = sent.is_some_and(|sent| sent.etag.is_some());
        match status {
            // 203: a proxy on the way changed something, and says so (RFC 9110 §15.3.4).
            200 | 203 => self.document(request, url, response, time).await,
            226 if delta_asked && headers::is_feed_delta(response.headers()) => {
                self.document(request, url, response, time).await
            }
            304 if sent.is_some() => Ok(Step::Answered {
                answer: Answer::NotModified,
                validators: headers::refreshed(&request.validators, url, response.headers()),
                asks: waits::asks(response.headers(), now),
                date: waits::server_date(response.headers()),
                share: Share::default(),
            }),
            status if redirect::is_redirect(status) => redirected(url, status, response.headers(), now),
            status => Err(self.refusal(url, status, response.headers(), time.clock)),
        }
    }

    async fn document(
        &self,
        request: &Request,
        url: &Url,
        response: Response,
        time: &mut Time,
    ) -> Result<Step, FetchError> {
        let validators = headers::replaced(&request.validators, url, response.headers());
        let asks = waits::asks(response.headers(), time.clock.now());
        let date = waits::server_date(response.headers());
        let content_type = headers::content_type(response.headers());
        let is_delta = response.status().as_u16() == 226;
        let offer = headers::hub_offer(response.headers(), url);
        let mut share = Share::default();
        let body = self.body(url, response, time, &mut share).await?;
        let answer = Answer::Document(Document { body, content_type, is_delta, offer });
        Ok(Step::Answered { answer, validators, asks, date, share })
    }

    async fn body(
        &self,
        url: &Url,
        response: Response,
        time: &mut Time,
        share: &mut Share,
    ) -> Result<Bytes, FetchError> {
        let (bytes_max, memory_timeout) = (self.settings.body_bytes_max, self.settings.timeout);
        let vessel = Vessel { bytes_max, time, memory: &self.memory, memory_timeout, share };
        body::read_body(response, vessel).await.map_err(|fault| match fault {
            BodyFault::Known(error) => error,
            BodyFault::Late => self.too_slow(url),
            BodyFault::Broken(error) => FetchError::in_body(url, &error, self.limits),
        })
    }

    /// The second lock of the guard: the peer that answered is one that may be talked to.
    ///
    /// A proxy is the operator's choice.
    pub(super) fn check_peer(&self, url: &Url, response: &Response, outlet: &Outlet) -> Result<(), FetchError> {
        if !outlet.is_straight() {
            return Ok(());
        }
        let peer = response.remote_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        if self.guard.permits(peer) { Ok(()) } else { Err(FetchError::not_public(url, peer)) }
    }

    pub(super) fn too_slow(&self, url: &Url) -> FetchError {
        FetchError::Timeout { at: Endpoint::of(url), phase: Phase::Total, limit: self.settings.timeout }
    }

    fn refusal(&self, url: &Url, code: u16, headers: &HeaderMap, clock: Clock) -> FetchError {
        let now = clock.now();
        let delay = waits::retry_after(headers, now).filter(|_| matches!(code, 429 | 503));
        let throttle = delay.and_then(|delay| Throttle::new(host(url), delay, now));
        if let Some(throttle) = &throttle {
            self.postpone(throttle, now);
        }
        let firewall = if code == 403 { headers::firewall(headers) } else { None };
        FetchError::Status { url: shown_url(url), code, firewall, asks: waits::asks(headers, now), throttle }
    }
}

fn redirected(url: &Url, status: u16, headers: &HeaderMap, now: Timestamp) -> Result<Step, FetchError> {
    let to = redirect::target(url, headers.get(LOCATION).map(HeaderValue::as_bytes))?;
    // Caching hints of a redirect are about the redirect; `Retry-After` is about us.
    let asks = waits::retry(headers, now);
    Ok(Step::Redirected { hop: Hop { url: url.clone(), status }, to, asks: asks.into_iter().collect() })
}

/// The form that tells a hub of `topics`.
fn publication(topics: &[String]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", "publish");
    form.extend_pairs(topics.iter().map(|topic| ("hub.url", topic)));
    form.finish()
}

/// Returns `to` if the chain of `hops` may be followed there.
fn follow(hops: &[Hop], to: Url) -> Result<Url, FetchError> {
    let fault = if hops.iter().any(|hop| hop.url == to) {
        RedirectFault::Loop
    } else if hops.len() > redirect::HOPS_MAX {
        RedirectFault::TooMany
    } else {
        return Ok(to);
    };
    Err(FetchError::BadRedirect { url: hops.first().map(|hop| shown_url(&hop.url)).unwrap_or_default(), fault })
}
