//! A server that stands in for a service on the internet: it notes what it is asked, and answers as it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::house::PATIENCE;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The server; it ends with the test.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    asked: Receiver<Asked>,
}

impl Stub {
    /// Starts it at a free address.
    pub(crate) fn start(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Stub {
        Stub::at(SocketAddr::from(([127, 0, 0, 1], 0)), answer)
    }

    /// Starts it at this address.
    pub(crate) fn at(address: SocketAddr, answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = channel();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, answer) = (sender.clone(), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream) else { return };
                    let answer = answer(&request);
                    // The test may have ended.
                    let _ = sender.send(request);
                    let _ = stream.write_all(answer.as_bytes());
                });
            }
        });
        Stub { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("no request came")
    }

    /// Returns what came since that was last asked.
    pub(crate) fn so_far(&self) -> Vec<Asked> {
        self.asked.try_iter().collect()
    }
}

/// Returns an answer with this status and body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let mut words = text.split_whitespace().map(ToOwned::to_owned);
                let (method, path) = (words.next()?, words.next()?);
                let head = text.split_once("\r\n\r\n")?.0.to_owned();
                return Some(Asked { method, path, head, body: body.to_owned() });
            }
        }
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend(&buffer[..length]);
    }
}
