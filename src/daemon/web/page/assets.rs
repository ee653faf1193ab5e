//! The files of the page, packed once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::daemon::web::problem::Problem;
use crate::daemon::web::work::file::tag;
use crate::page::asset::{ASSETS, Asset, asset as named};

use super::reply::{Visit, pack};

/// The files, packed, each with what tells its versions apart.
static PACKED: LazyLock<BTreeMap<&'static str, (Vec<u8>, String)>> = LazyLock::new(|| {
    let packed = |asset: &Asset| (pack(asset.text.as_bytes().to_vec(), true).0, tag(asset.text.as_bytes()));
    ASSETS.iter().map(|asset| (asset.name, packed(asset))).collect()
});

/// `GET /assets/{name}`; a browser keeps it, and asks whether it's still good.
pub(super) async fn asset(Path(name): Path<String>, visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    let missing = || Problem::not_found("the page has no such file");
    let found = named(&name).ok_or_else(missing)?;
    let (packed, tag) = PACKED.get(found.name).ok_or_else(missing)?;
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if visit.takes_gzip() && packed.len() < found.text.len() {
        ([(header::CONTENT_ENCODING, "gzip")], packed.clone()).into_response()
    } else {
        found.text.into_response()
    };
    let all = response.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static(found.kind));
    all.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    all.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        all.insert(header::ETAG, tag);
    }
    Ok(response)
}
