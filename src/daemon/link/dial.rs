//! Opens a connection to a broker: TCP, TLS around it, a WebSocket around that.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};

use super::address::BrokerUrl;
use crate::daemon::net::websocket;
use crate::link::Failure;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to dial, and how.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Target {
    pub(in crate::daemon) url: BrokerUrl,
    /// `None`: without TLS.
    pub(in crate::daemon) tls: Option<Arc<ClientConfig>>,
}

/// A connection's two directions.
pub(in crate::daemon) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Opens a connection.
///
/// # Errors
/// When that fails; with what to tell people.
pub(in crate::daemon) async fn dial(target: &Target) -> Result<Box<dyn Stream>, Failure> {
    let slow = |_| Failure::Unreachable("it doesn't answer in time".to_owned());
    let tcp = timeout(PATIENCE, connect(&target.url)).await.map_err(slow)??;
    // A message mustn't wait for the next one.
    let _ = tcp.set_nodelay(true);
    let shake = async {
        match &target.tls {
            None => open(tcp, &target.url).await,
            Some(config) => open(encrypt(tcp, config, &target.url).await?, &target.url).await,
        }
    };
    timeout(PATIENCE, shake).await.unwrap_or(Err(Failure::NoAnswer))
}

async fn connect(url: &BrokerUrl) -> Result<TcpStream, Failure> {
    let addresses = lookup_host((url.host.as_str(), url.port)).await;
    let addresses = addresses.map_err(|error| Failure::Name(plain(&error)))?;
    let mut failure = Failure::Name("it has no address".to_owned());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => failure = Failure::NobodyThere,
            Err(error) => failure = Failure::Unreachable(plain(&error)),
        }
    }
    Err(failure)
}

async fn encrypt(
    tcp: TcpStream,
    config: &Arc<ClientConfig>,
    url: &BrokerUrl,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(url.host.clone()).map_err(|error| Failure::Tls(error.to_string()))?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, tcp).await.map_err(|error| tls_failure(&error))
}

/// Returns what a failed handshake means: whether it is the certificate that isn't trusted.
fn tls_failure(error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => Failure::Untrusted(certificate_words(why)),
        _ => Failure::Tls(plain(error)),
    }
}

fn certificate_words(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer => "nobody that this machine trusts signed it".to_owned(),
        Why::Expired | Why::ExpiredContext { .. } => "it has expired".to_owned(),
        Why::NotValidYet | Why::NotValidYetContext { .. } => "it isn't valid yet: check the clocks".to_owned(),
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "it is for another name than the one in `broker.url`".to_owned()
        }
        other => other.to_string(),
    }
}

async fn open<S: Stream + 'static>(stream: S, url: &BrokerUrl) -> Result<Box<dyn Stream>, Failure> {
    if !url.is_websocket {
        return Ok(Box::new(stream));
    }
    let socket = websocket::connect(stream, &url.shown(), &url.path).await.map_err(Failure::WebSocket)?;
    Ok(Box::new(socket))
}

/// Returns an error without the number that the system adds.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}
