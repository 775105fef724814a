//! The floor: as little as a poller can do with the same libraries. It asks for every feed, reads what has changed with
//! feed-rs, and inserts the entries, one transaction a feed.
//!
//! No identity but the entry's own id, no sanitising, no topics, no stories, no schedule, no manners.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Client, StatusCode};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::mpsc;

const AT_ONCE: usize = 64;

const SCHEMA: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS feed (url TEXT PRIMARY KEY, etag TEXT);
    CREATE TABLE IF NOT EXISTS entry (
        url TEXT, id TEXT, title TEXT, link TEXT, content TEXT, published TEXT, PRIMARY KEY (url, id)
    );";

/// A document that was read: its address, its tag, its entries.
type Read = (String, Option<String>, Vec<feed_rs::model::Entry>);

/// Polls the feeds whose addresses a file holds, one a line, into a database.
pub fn poll(urls: &str, database: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let urls: Vec<String> = std::fs::read_to_string(urls).unwrap().lines().map(str::to_owned).collect();
    let mut connection = Connection::open(database).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let known: Vec<Option<String>> = urls
        .iter()
        .map(|url| {
            let tag = connection.query_row("SELECT etag FROM feed WHERE url = ?1", [url], |row| row.get(0));
            tag.optional().unwrap().flatten()
        })
        .collect();
    let (sender, mut receiver) = mpsc::channel(AT_ONCE);
    let writer = std::thread::spawn(move || {
        while let Some(read) = receiver.blocking_recv() {
            insert(&mut connection, &read);
        }
    });
    let client = Arc::new(Client::builder().no_proxy().build().unwrap());
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        stream::iter(urls.into_iter().zip(known))
            .for_each_concurrent(AT_ONCE, |(url, known)| {
                let (client, sender) = (Arc::clone(&client), sender.clone());
                async move {
                    if let Some(read) = ask(&client, url, known).await {
                        sender.send(read).await.unwrap();
                    }
                }
            })
            .await;
    });
    drop(sender);
    writer.join().unwrap();
}

async fn ask(client: &Client, url: String, known: Option<String>) -> Option<Read> {
    let mut request = client.get(&url);
    if let Some(known) = known {
        request = request.header(IF_NONE_MATCH, known);
    }
    let answer = request.send().await.unwrap();
    if answer.status() == StatusCode::NOT_MODIFIED {
        return None;
    }
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = answer.headers().get(ETAG).map(|tag| tag.to_str().unwrap().to_owned());
    let bytes = answer.bytes().await.unwrap();
    let entries = feed_rs::parser::parse(&bytes[..]).unwrap().entries;
    Some((url, tag, entries))
}

fn insert(connection: &mut Connection, (url, tag, entries): &Read) {
    let transaction = connection.transaction().unwrap();
    transaction
        .prepare_cached("INSERT OR REPLACE INTO feed VALUES (?1, ?2)")
        .unwrap()
        .execute(params![url, tag])
        .unwrap();
    for entry in entries {
        let title = entry.title.as_ref().map(|title| &title.content);
        let link = entry.links.first().map(|link| &link.href);
        let content = entry.content.as_ref().and_then(|content| content.body.as_ref());
        let published = entry.published.map(|date| date.to_rfc3339());
        transaction
            .prepare_cached("INSERT OR IGNORE INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .unwrap()
            .execute(params![url, entry.id, title, link, content, published])
            .unwrap();
    }
    transaction.commit().unwrap();
}
