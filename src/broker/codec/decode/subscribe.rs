//! SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0, 3.8 and 3.10).

use crate::broker::codec::error::DecodeError;
use crate::broker::filter::{Filter, FilterError};
use crate::broker::limits::MOST_IN_PACKET;
use crate::broker::packet::{RetainHandling, Subscribe, SubscribeOptions, SubscribeRequest, Unsubscribe, Version};
use crate::broker::reason::Reason;

use super::Body;
use super::property::{PropertyReader, unknown};
use super::publish::qos;

pub(super) fn read(body: &mut Body<'_>, version: Version) -> Result<Subscribe, DecodeError> {
    let mut subscribe = Subscribe { id: body.packet_id()?, subscription_id: None, requests: Vec::new() };
    if version == Version::V5 {
        let mut properties = PropertyReader::new(body)?;
        while let Some(id) = properties.next()? {
            match id {
                0x0b => subscribe.subscription_id = Some(properties.variable_above_zero()?),
                0x26 => properties.skip(id)?,
                _ => return Err(unknown()),
            }
        }
    }
    if body.is_empty() {
        return Err(DecodeError::protocol("a SUBSCRIBE has no filter"));
    }
    while !body.is_empty() {
        bound(subscribe.requests.len())?;
        let filter = filter(body.text()?)?;
        let options = options(body.byte()?, version)?;
        if options.no_local && filter.group().is_some() {
            return Err(DecodeError::protocol("a shared subscription has the option no local"));
        }
        subscribe.requests.push(SubscribeRequest { filter, options });
    }
    Ok(subscribe)
}

pub(super) fn read_unsubscribe(body: &mut Body<'_>, version: Version) -> Result<Unsubscribe, DecodeError> {
    let id = body.packet_id()?;
    if version == Version::V5 {
        let mut properties = PropertyReader::new(body)?;
        while let Some(id) = properties.next()? {
            match id {
                0x26 => properties.skip(id)?,
                _ => return Err(unknown()),
            }
        }
    }
    if body.is_empty() {
        return Err(DecodeError::protocol("an UNSUBSCRIBE has no filter"));
    }
    let mut filters = Vec::new();
    while !body.is_empty() {
        bound(filters.len())?;
        filters.push(filter(body.text()?)?);
    }
    Ok(Unsubscribe { id, filters })
}

/// Refuses one filter more than a packet may have.
fn bound(count: usize) -> Result<(), DecodeError> {
    let is_full = count >= MOST_IN_PACKET;
    if is_full { Err(DecodeError::of(Reason::QuotaExceeded, "a packet has too many filters")) } else { Ok(()) }
}

fn options(bits: u8, version: Version) -> Result<SubscribeOptions, DecodeError> {
    let reserved = if version == Version::V5 { 0b1100_0000 } else { 0b1111_1100 };
    if bits & reserved != 0 {
        return Err(DecodeError::malformed("reserved bits of a subscription's options are set"));
    }
    let qos = qos(bits & 0b11).ok_or(DecodeError::protocol("a subscription has QoS 3"))?;
    let retain_handling = match bits >> 4 & 0b11 {
        0 => RetainHandling::Send,
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::Skip,
        _ => return Err(DecodeError::protocol("a subscription has the retain handling 3")),
    };
    let (no_local, retain_as_published) = (bits & 0b100 != 0, bits & 0b1000 != 0);
    Ok(SubscribeOptions { qos, no_local, retain_as_published, retain_handling })
}

fn filter(text: &str) -> Result<Filter, DecodeError> {
    Filter::parse(text).map_err(|error| match error {
        FilterError::Empty => DecodeError::protocol("a topic filter is empty"),
        FilterError::Control => DecodeError::malformed("a topic filter contains a control character"),
        FilterError::TooLong => DecodeError::of(Reason::TopicFilterInvalid, "a topic filter is too long"),
        FilterError::Wildcard => DecodeError::of(
            Reason::TopicFilterInvalid,
            "a wildcard of a topic filter isn't a whole level, or `#` not the last one",
        ),
        FilterError::Share => {
            DecodeError::of(Reason::TopicFilterInvalid, "a shared subscription isn't `$share/GROUP/FILTER`")
        }
    })
}
