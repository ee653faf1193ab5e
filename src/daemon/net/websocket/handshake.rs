//! The handshake (RFC 6455, 4.2): an HTTP request of a client that wants MQTT, and the answer.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Origins, WebSocket};

/// The largest request; browsers send cookies.
const LARGEST: usize = 16 * 1024;

/// The most headers of a request.
const MOST_HEADERS: usize = 64;

/// What is appended to a client's key (RFC 6455, 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Our subprotocols, the preferred one first.
const PROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// Why a peer doesn't get in.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// The connection failed, or ended early.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It was answered with this status.
    #[error("{message} (answered with {status})")]
    Refused {
        /// Of HTTP.
        status: u16,
        /// What is wrong.
        message: &'static str,
    },
}

/// Shakes hands with the client at the other end of `stream`. Give it a time limit.
///
/// # Errors
/// When the peer asks for something else, or is a web page that may not connect. It has been answered then.
pub async fn accept<S>(mut stream: S, origins: &Origins) -> Result<WebSocket<S>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (head, rest) = read_head(&mut stream).await?;
    match answer(&head, origins) {
        Ok(answer) => {
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            Ok(WebSocket::new(stream, rest))
        }
        Err((status, message)) => {
            let version = if status == 426 { "Sec-WebSocket-Version: 13\r\n" } else { "" };
            let length = message.len() + 1;
            let answer = format!(
                "HTTP/1.1 {status} {}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n{version}Content-Length: {length}\r\n\r\n{message}\n",
                reason(status)
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            Err(HandshakeError::Refused { status, message })
        }
    }
}

/// Shakes hands with the server at the other end of `stream`, as a client of MQTT. Give it a time limit.
///
/// # Errors
/// When the server doesn't take the WebSocket; with what it said.
pub async fn connect<S>(mut stream: S, host: &str, path: &str) -> Result<WebSocket<S>, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut nonce = [0; 16];
    // The server only gives it back: without random numbers zeros do.
    let _ = getrandom::fill(&mut nonce);
    let key = STANDARD.encode(nonce);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    let said = |error: io::Error| error.to_string();
    stream.write_all(request.as_bytes()).await.map_err(said)?;
    stream.flush().await.map_err(said)?;
    let (head, rest) = read_head(&mut stream).await.map_err(said)?;
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    if !matches!(response.parse(&head), Ok(httparse::Status::Complete(_))) {
        return Err("it doesn't speak HTTP".to_owned());
    }
    if response.code != Some(101) {
        return Err(format!("it answers with status {}", response.code.unwrap_or_default()));
    }
    let accepted = STANDARD.encode(Sha1::new().chain_update(&key).chain_update(MAGIC).finalize());
    if Headers(response.headers).one("sec-websocket-accept") != Some(&accepted) {
        return Err("its answer doesn't belong to our request".to_owned());
    }
    Ok(WebSocket::of_client(stream, rest))
}

/// Returns the request's head, and what came behind it.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let seen = head.len().saturating_sub(3);
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let fresh = head.get(seen..).unwrap_or_default();
        if let Some(at) = fresh.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = head.split_off(seen + at + 4);
            return Ok((head, rest));
        }
        if head.len() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the request is too large"));
        }
    }
}

/// Returns the answer to a request, or the status that refuses it.
fn answer(head: &[u8], origins: &Origins) -> Result<String, (u16, &'static str)> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(head);
    if !matches!(parsed, Ok(httparse::Status::Complete(_))) {
        return Err((400, "this isn't an HTTP request"));
    }
    let path = request.path.unwrap_or_default().split('?').next().unwrap_or_default();
    let headers = Headers(request.headers);
    let host = headers.one("host").ok_or((400, "the request needs one `Host`"))?;
    if headers.all("origin").count() > 1 || !origins.allow(host, headers.one("origin")) {
        return Err((403, "this web page may not connect; `origins` in homerule.yaml allows it"));
    }
    if !["/mqtt", "/"].contains(&path) {
        return Err((404, "MQTT is at `/mqtt`"));
    }
    if request.method != Some("GET") || request.version != Some(1) {
        return Err((400, "a WebSocket begins with GET and HTTP/1.1"));
    }
    if !headers.has_word("upgrade", "websocket") || !headers.has_word("connection", "upgrade") {
        return Err((426, "this is for MQTT over WebSocket"));
    }
    if headers.one("sec-websocket-version") != Some("13") {
        return Err((426, "only version 13 of WebSocket is supported"));
    }
    let key = headers.one("sec-websocket-key").filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    let key = key.ok_or((400, "`Sec-WebSocket-Key` is missing or broken"))?;
    let offers = headers.all("sec-websocket-protocol").next().is_some();
    let protocol = PROTOCOLS.into_iter().find(|protocol| headers.has_word("sec-websocket-protocol", protocol));
    let protocol = match protocol {
        Some(protocol) => format!("Sec-WebSocket-Protocol: {protocol}\r\n"),
        None if offers => return Err((400, "the subprotocol is `mqtt` or `mqttv3.1`")),
        None => String::new(),
    };
    let accepted = STANDARD.encode(Sha1::new().chain_update(key).chain_update(MAGIC).finalize());
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n{protocol}\r\n"
    ))
}

struct Headers<'h>(&'h [httparse::Header<'h>]);

impl<'h> Headers<'h> {
    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'h str> + 's {
        let named = self.0.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.filter_map(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
    }

    /// Returns the value of a header that is there once.
    fn one(&self, name: &str) -> Option<&'h str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Returns whether a header lists `word`.
    fn has_word(&self, name: &str, word: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        426 => "Upgrade Required",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    fn answered(request: &str) -> Result<String, u16> {
        answer(request.as_bytes(), &Origins::default()).map_err(|(status, _)| status)
    }

    #[test]
    fn a_client_of_mqtt_is_let_in() {
        let answer = answered(REQUEST).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        // The example of RFC 6455, 1.3.
        assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
        assert!(answer.contains("\r\nSec-WebSocket-Protocol: mqtt\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        for (from, to) in [
            ("GET /mqtt", "GET /"),
            ("GET /mqtt", "GET /mqtt?x=1"),
            ("Sec-WebSocket-Protocol: mqtt\r\n", ""),
            ("Sec-WebSocket-Protocol: mqtt\r\n", "Sec-WebSocket-Protocol: other, mqttv3.1\r\n"),
            ("\r\n\r\n", "\r\nOrigin: https://127.0.0.1:9001\r\n\r\n"),
        ] {
            assert!(answered(&REQUEST.replace(from, to)).is_ok(), "{to}");
        }
    }

    #[tokio::test]
    async fn a_client_and_a_server_of_ours_understand_each_other() {
        let (ours, theirs) = tokio::io::duplex(1000);
        let server = tokio::spawn(async move {
            let mut socket = accept(theirs, &Origins::default()).await.unwrap();
            let mut heard = [0; 5];
            socket.read_exact(&mut heard).await.unwrap();
            socket.write_all(&heard).await.unwrap();
            socket.flush().await.unwrap();
            heard
        });
        let mut socket = connect(ours, "127.0.0.1:9001", "/mqtt").await.unwrap();
        socket.write_all(b"hello").await.unwrap();
        socket.flush().await.unwrap();
        let mut heard = [0; 5];
        socket.read_exact(&mut heard).await.unwrap();
        assert_eq!((&heard, &server.await.unwrap()), (b"hello", b"hello"));
    }

    #[test]
    fn others_are_refused_with_their_status() {
        for (from, to, status) in [
            ("GET /mqtt", "GET /api", 404),
            ("GET /mqtt", "POST /mqtt", 400),
            ("HTTP/1.1", "HTTP/1.0", 400),
            ("Host: 127.0.0.1:9001", "Host: evil.example", 403),
            ("Host: 127.0.0.1:9001\r\n", "", 400),
            ("Host: 127.0.0.1:9001\r\n", "Host: 127.0.0.1:9001\r\nHost: evil.example\r\n", 400),
            ("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n", 403),
            ("\r\n\r\n", "\r\nOrigin: null\r\n\r\n", 403),
            ("Upgrade: WebSocket\r\n", "", 426),
            ("Version: 13", "Version: 8", 426),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400),
            ("Protocol: mqtt", "Protocol: chat", 400),
            ("GET ", "\x16\x03\x01", 400),
        ] {
            assert_eq!(answered(&REQUEST.replacen(from, to, 1)).unwrap_err(), status, "{to}");
        }
    }
}
