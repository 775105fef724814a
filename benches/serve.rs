//! The cost of a reader's GET beside a bare hyper handler that holds the same bytes: `cargo bench --bench serve`.
//!
//! Both listen on loopback, each on a thread of its own; what is told is the processor time of that thread for one
//! request, so other work on the machine and the client's own share do not count. Linux only.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark reports to people, and stops at what it did not expect"
)]

use std::convert::Infallible;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use veille::publish::{Body, Encoding, Format, Representation, Resource, Tree};
use veille::serve::{Front, ServingLimits, serve};

const PATH: &str = "/topic.atom";
const REQUESTS: u32 = 20_000;
const ROUNDS: usize = 7;

fn main() {
    let document = Representation::new(PATH.to_owned(), Format::Atom, feed().into_bytes());
    let tree = Tree::build(vec![document], Vec::new(), &Tree::default(), chrono::DateTime::UNIX_EPOCH);
    let resource = Arc::clone(tree.get(PATH).unwrap());
    let gzip = &resource.compressed.iter().find(|(encoding, _)| *encoding == Encoding::Gzip).unwrap().1;
    println!("{} bytes, {} in gzip", bytes(&resource.plain.body).len(), bytes(&gzip.body).len());
    let etag = format!("If-None-Match: {}\r\n", resource.plain.etag);
    let front = Arc::new(Front::default());
    front.tree.store(tree);
    let ours = Server::start(move |listener| async move {
        serve(listener, front, ServingLimits::default(), std::future::pending()).await.unwrap();
    });
    let theirs = Server::start(move |listener| bare(listener, Arc::clone(&resource)));
    for (name, headers) in [("plain", ""), ("gzip", "Accept-Encoding: gzip\r\n"), ("304", &etag)] {
        let mut costs: [Vec<f64>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (server, costs) in [&ours, &theirs].into_iter().zip(&mut costs) {
                costs.push(server.cost(headers));
            }
        }
        // Other work on the machine only ever adds.
        let [ours, bare] = costs.map(|costs| costs.into_iter().fold(f64::INFINITY, f64::min));
        println!("{name:5}  served {ours:5.1} µs   bare hyper {bare:5.1} µs   ratio {:.2}", ours / bare);
    }
}

/// A feed of fifty entries.
fn feed() -> String {
    let entry = |number: usize| {
        format!(
            "<entry><id>https://a.example/{number}</id><title>Nouvelle {number}</title><updated>2026-11-24T08:00:00Z</updated>\
             <content type=\"html\">{}</content></entry>\n",
            format!("Du texte numéro {} sur l’école. ", number * 7_919).repeat(30)
        )
    };
    format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{}</feed>", (0..50).map(entry).collect::<String>())
}

fn bytes(body: &Body) -> Bytes {
    match body {
        Body::Memory(bytes) => bytes.clone(),
        Body::File(_) => unreachable!("the document is in memory"),
    }
}

/// The least that serves the same, at whatever path: the bytes, the validator.
async fn bare(listener: TcpListener, resource: Arc<Resource>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let resource = Arc::clone(&resource);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                std::future::ready(Ok::<_, Infallible>(answer(request.headers(), &resource)))
            });
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.unwrap();
        });
    }
}

fn answer(request: &HeaderMap, resource: &Resource) -> Response<Full<Bytes>> {
    let tag = &*resource.plain.etag;
    if request.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag) {
        let answer = Response::builder().status(StatusCode::NOT_MODIFIED).header(header::ETAG, tag);
        return answer.body(Full::default()).unwrap();
    }
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8");
    let gzip = resource.compressed.iter().find(|(encoding, _)| *encoding == Encoding::Gzip);
    match gzip.filter(|_| request.get(header::ACCEPT_ENCODING).is_some_and(|accepted| accepted == "gzip")) {
        Some((_, gzip)) => {
            let answer = answer.header(header::CONTENT_ENCODING, "gzip").header(header::ETAG, &*gzip.etag);
            answer.body(bytes(&gzip.body).into()).unwrap()
        }
        None => answer.header(header::ETAG, tag).body(bytes(&resource.plain.body).into()).unwrap(),
    }
}

/// A server on a thread of its own.
struct Server {
    address: SocketAddr,
    /// Where Linux tells what the thread has used.
    thread: String,
}

impl Server {
    fn start<F: Future<Output = ()>>(serve: impl FnOnce(TcpListener) -> F + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let thread = fs::read_link("/proc/thread-self").unwrap();
                let thread = format!("/proc/{}/schedstat", thread.display());
                sender.send(Self { address: listener.local_addr().unwrap(), thread }).unwrap();
                serve(listener).await;
            });
        });
        receiver.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    fn used(&self) -> f64 {
        let nanoseconds = fs::read_to_string(&self.thread).unwrap();
        nanoseconds.split(' ').next().unwrap().parse().unwrap()
    }

    /// The microseconds of processor time that one request costs, kept-alive connection and all.
    fn cost(&self, headers: &str) -> f64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("GET {PATH} HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
        let mut buffer = vec![0; 1 << 20];
        ask(&mut stream, &request, &mut buffer);
        let before = self.used();
        for _ in 0..REQUESTS {
            ask(&mut stream, &request, &mut buffer);
        }
        (self.used() - before) / f64::from(REQUESTS) / 1_000.0
    }
}

/// One request; reads the whole answer.
fn ask(stream: &mut TcpStream, request: &str, buffer: &mut [u8]) {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut read, mut end) = (0, None);
    while end.is_none_or(|end| read < end) {
        read += stream.read(&mut buffer[read..]).unwrap();
        end = end.or_else(|| {
            let text = String::from_utf8_lossy(&buffer[..read.min(2_048)]);
            let (head, _) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            Some(head.len() + 4 + length.map_or(0, |length| length.parse().unwrap()))
        });
    }
}
