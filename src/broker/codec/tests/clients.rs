//! What real clients send: recorded from `mosquitto_pub`, `mosquitto_sub` (2.0.11) and paho (Python, 2.2) as they connected, subscribed,
//! published with each `QoS`, and left.

use crate::broker::packet::{Packet, Properties, RetainHandling, Version};
use crate::model::Qos;

use super::{Decoder, LARGEST, decode};

/// The client, and its bytes in hexadecimal digits.
const RECORDED: &[(&str, &str)] = &[
    (
        "mosquitto_pub 31",
        "102d00064d514973647003ee003c00046d6f73710009686f6d652f676f6e650001780003616e6e0006736563726574350f0009686f6d652f6c616d70\
         00016f6e62020001e000",
    ),
    (
        "mosquitto_sub 31",
        "101200064d51497364700300003c00046d6f7371820b00010006686f6d652f2301a209000200056f6c642f2be000",
    ),
    (
        "mosquitto_pub 311",
        "102b00044d51545404ee003c00046d6f73710009686f6d652f676f6e650001780003616e6e0006736563726574350f0009686f6d652f6c616d700001\
         6f6e62020001e000",
    ),
    ("mosquitto_sub 311", "101000044d5154540400003c00046d6f7371820b00010006686f6d652f2301a209000200056f6c642f2be000"),
    (
        "mosquitto_pub 5",
        "103a00044d51545405ee003c08110000003c21001400046d6f73710518000000050009686f6d652f676f6e650001780003616e6e0006736563726574\
         352a0009686f6d652f6c616d7000011a03000a746578742f706c61696e26000161000162080003722f746f6e62020001e000",
    ),
    (
        "mosquitto_sub 5",
        "101400044d5154540502003c0321001400046d6f7371820c0001000006686f6d652f2321a20a00020000056f6c642f2be00104",
    ),
    (
        "paho 4",
        "101100044d5154540402003c000570c3a4686f820c00010003612f23020001620032cf010003612f620002c3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bc35070003612f62000362020003a21300040003612f23000a2473686172652f672f62e000",
    ),
    (
        "paho 5",
        "102600044d5154540502003c14170021000a2200052600016b00017627000186a0000570c3a4686f82190001030bac020003612f231e000a24736861\
         72652f672f620132ed010003612f6200021d0101020000000909000200ff2300012600016100013126000161000132c3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3bcc3\
         bcc3bcc3bcc3bc35080003612f6200030062020003a2140004000003612f23000a2473686172652f672f62e000",
    ),
];

pub(super) fn recorded() -> Vec<(&'static str, Vec<u8>)> {
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    RECORDED.iter().map(|(name, digits)| (*name, digits.as_bytes().chunks(2).map(byte).collect())).collect()
}

fn packets_of(client: &str) -> Vec<Packet> {
    let (_, bytes) = recorded().into_iter().find(|(name, _)| *name == client).unwrap();
    decode(&bytes).unwrap_or_else(|error| panic!("{client}: {error}"))
}

fn kinds(packets: &[Packet]) -> Vec<String> {
    packets.iter().map(|packet| format!("{packet:?}").split(['(', ' ']).next().unwrap().to_owned()).collect()
}

#[test]
fn all_that_real_clients_send_is_read() {
    for version in ["31", "311", "5"] {
        let published = packets_of(&format!("mosquitto_pub {version}"));
        assert_eq!(kinds(&published), ["Connect", "Publish", "PubRel", "Disconnect"]);
        let subscribed = packets_of(&format!("mosquitto_sub {version}"));
        assert_eq!(kinds(&subscribed), ["Connect", "Subscribe", "Unsubscribe", "Disconnect"]);
    }
    for version in ["4", "5"] {
        let kinds = kinds(&packets_of(&format!("paho {version}")));
        let expected = ["Connect", "Subscribe", "Publish", "Publish", "PubRel", "Unsubscribe", "Disconnect"];
        assert_eq!(kinds, expected);
    }
}

#[test]
fn a_connect_tells_all_that_it_holds() {
    for (client, version) in [("31", Version::V31), ("311", Version::V311), ("5", Version::V5)] {
        let packets = packets_of(&format!("mosquitto_pub {client}"));
        let Packet::Connect(connect) = &packets[0] else { panic!("{packets:?}") };
        assert_eq!((connect.version, &*connect.client_id, connect.keep_alive), (version, "mosq", 60));
        assert!(connect.clean_start && !connect.is_bridge);
        assert_eq!((connect.user.as_deref(), connect.password.as_deref()), (Some("ann"), Some(&b"secret"[..])));
        let will = connect.will.as_ref().unwrap();
        assert_eq!(
            (will.topic.as_str(), &*will.payload, will.qos, will.retain),
            ("home/gone", &b"x"[..], Qos::AtLeastOnce, true)
        );
        let is_new = version == Version::V5;
        assert_eq!(connect.session_expiry, is_new.then_some(60));
        assert_eq!(will.delay, if is_new { 5 } else { 0 });
    }
    let packets = packets_of("paho 5");
    let Packet::Connect(connect) = &packets[0] else { panic!("{packets:?}") };
    assert_eq!(&*connect.client_id, "päho");
    let limits = (connect.receive_maximum.unwrap().get(), connect.maximum_packet_size.unwrap().get());
    assert_eq!((limits, connect.topic_alias_maximum), ((10, 100_000), 5));
    assert!(!connect.request_problem_information && !connect.request_response_information);
}

#[test]
fn a_publish_tells_all_that_it_holds() {
    let packets = packets_of("paho 5");
    let Packet::Publish(publish) = &packets[2] else { panic!("{packets:?}") };
    assert_eq!((publish.topic.as_ref().unwrap().as_str(), publish.alias.unwrap().get()), ("a/b", 1));
    assert_eq!((publish.qos, publish.id.unwrap().get(), publish.expiry), (Qos::AtLeastOnce, 2, Some(9)));
    assert_eq!(publish.payload, "ü".repeat(100));
    let expected = Properties {
        is_text: Some(true),
        correlation_data: Some(vec![0, 0xff].into()),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        ..Properties::default()
    };
    assert_eq!(publish.properties.as_deref(), Some(&expected));
    let packets = packets_of("mosquitto_pub 31");
    let Packet::Publish(publish) = &packets[1] else { panic!("{packets:?}") };
    assert!(publish.retain && !publish.dup && publish.properties.is_none() && publish.qos == Qos::ExactlyOnce);
}

#[test]
fn a_subscribe_tells_all_that_it_holds() {
    let packets = packets_of("paho 5");
    let Packet::Subscribe(subscribe) = &packets[1] else { panic!("{packets:?}") };
    assert_eq!(subscribe.subscription_id.unwrap().get(), 300);
    let [all, shared] = &subscribe.requests[..] else { panic!("{subscribe:?}") };
    assert_eq!((all.filter.topics(), all.options.qos), ("a/#", Qos::ExactlyOnce));
    assert!(all.options.no_local && all.options.retain_as_published);
    assert_eq!(all.options.retain_handling, RetainHandling::SendIfNew);
    assert_eq!((shared.filter.topics(), shared.filter.group()), ("b", Some("g")));
    let Packet::Unsubscribe(unsubscribe) = &packets[5] else { panic!("{packets:?}") };
    assert_eq!(unsubscribe.filters.iter().map(|filter| &**filter.text()).collect::<Vec<_>>(), ["a/#", "$share/g/b"]);
}

#[test]
fn a_connection_may_be_cut_anywhere() {
    for (client, bytes) in recorded() {
        let whole = decode(&bytes).unwrap();
        for size in [1, 2, 3, 7, 50] {
            let mut decoder = Decoder::new(LARGEST);
            let mut packets = Vec::new();
            for mut part in bytes.chunks(size) {
                while let Some(packet) = decoder.decode(&mut part).unwrap() {
                    packets.push(packet);
                }
            }
            assert_eq!(packets, whole, "{client} in parts of {size}");
            assert_eq!(decoder.buffered(), 0, "nothing is kept of what is read");
        }
    }
}
