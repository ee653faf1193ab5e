//! Whatever comes: nothing panics, nobody else is hurt, and nothing is left of it.

use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{Conn, Settings};
use proptest::prelude::*;
use proptest::sample::Index;

use super::house::House;
use super::wire::{
    Connect, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Will, ack, disconnect, packet, subscribe, unsubscribe,
};

/// What a hostile client does next.
#[derive(Debug, Clone)]
enum Deed {
    /// Sends bytes on one of its connections.
    Send(Index, Vec<u8>),
    /// Opens another one.
    Open,
    /// Breaks one.
    Close(Index),
    /// Does nothing for a while.
    Wait(u64),
    /// Lets the disk stall, or work again.
    Disk,
    /// Takes so many bytes that are for it.
    Take(Index, usize),
    /// The process ends and begins anew.
    Restart,
}

fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V31), Just(Version::V311), Just(Version::V5)]
}

fn any_topic() -> impl Strategy<Value = String> {
    prop_oneof![8 => "(a|b)(/(a|b)){0,2}", 1 => Just("$SYS/x".to_owned()), 1 => Just(String::new())]
}

fn any_filter() -> impl Strategy<Value = String> {
    prop_oneof![4 => r"(a|b|\+)(/(a|b|\+)){0,2}(/#)?", 2 => r"\$share/g/(a|b)(/#)?", 1 => Just(r"$SYS/#".to_owned()), 1 => Just("#".to_owned())]
}

fn any_connect() -> impl Strategy<Value = Vec<u8>> {
    let will = (any_topic(), 0..3_u8, any::<bool>(), 0..3_u32);
    let properties = prop_oneof![
        Just(vec![]),
        Just(vec![0x11, 0, 0, 0, 9]),
        Just(vec![0x11, 0, 0, 0, 9, 0x21, 0, 2, 0x22, 0, 3]),
        Just(vec![0x27, 0, 0, 0, 30]),
    ];
    let parts =
        (any_version(), "[xyz]?", any::<bool>(), 0..20_u16, proptest::option::of(will), properties, any::<bool>());
    parts.prop_map(|(version, id, clean, keep_alive, will, properties, is_bridge)| {
        let will = will.map(|(topic, qos, retain, delay)| Will { topic, payload: "gone".into(), qos, retain, delay });
        let is_bridge = is_bridge && version != Version::V5;
        Connect { clean, keep_alive, will, is_bridge, properties, ..Connect::new(version, &id) }.bytes()
    })
}

fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let publish = (any_version(), 0..3_u8, 1..4_u16, any_topic(), any::<bool>(), 0..3_usize).prop_map(
        |(version, qos, id, topic, retain, size)| {
            let payload = "x".repeat(size * 700);
            Publish { retain, ..Publish::new(qos, id, &topic, &payload) }.bytes(version)
        },
    );
    let acks = (prop_oneof![Just(PUBACK), Just(PUBREC), Just(PUBREL), Just(PUBCOMP)], 1..5_u16);
    prop_oneof![
        4 => any_connect(),
        6 => publish,
        4 => (any_version(), any_filter(), 0..3_u8).prop_map(|(version, filter, qos)| subscribe(version, 1, None, &[(&filter, qos)])),
        1 => (any_version(), any_filter()).prop_map(|(version, filter)| unsubscribe(version, 2, &filter)),
        4 => acks.prop_map(|(kind, id)| ack(kind, id)),
        1 => (any_version(), 0..5_u8).prop_map(|(version, code)| disconnect(version, code)),
        1 => Just(packet(0xc0, &[])),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let parts =
        (proptest::collection::vec(any_packet(), 1..4), proptest::option::weighted(0.2, (any::<Index>(), any::<u8>())));
    parts.prop_map(|(packets, change)| {
        let mut bytes = packets.concat();
        if let Some((place, byte)) = change
            && !bytes.is_empty()
        {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        12 => (any::<Index>(), any_bytes()).prop_map(|(conn, bytes)| Deed::Send(conn, bytes)),
        5 => (any::<Index>(), any_connect()).prop_map(|(conn, bytes)| Deed::Send(conn, bytes)),
        3 => Just(Deed::Open),
        2 => any::<Index>().prop_map(Deed::Close),
        1 => (0..8000_u64).prop_map(Deed::Wait),
        1 => Just(Deed::Disk),
        2 => (any::<Index>(), 0..3000_usize).prop_map(|(conn, count)| Deed::Take(conn, count)),
        1 => Just(Deed::Restart),
    ]
}

fn settings() -> Settings {
    let mut settings = Settings { session_expiry: Duration::from_secs(100), ..Settings::default() };
    settings.limits.queued_messages = 5;
    settings.limits.inflight = 2;
    settings.limits.subscriptions = 3;
    settings.limits.retained = 4;
    settings.limits.sessions = 3;
    settings.limits.connections = 6;
    settings.limits.messages_per_second = 5;
    settings
}

fn do_all(house: &mut House, deeds: Vec<Deed>) {
    let mut conns: Vec<Conn> = Vec::new();
    for deed in deeds {
        conns.retain(|conn| !house.has_closed(*conn));
        match deed {
            Deed::Open => conns.extend(house.try_open()),
            Deed::Send(which, bytes) if !conns.is_empty() => {
                let conn = *which.get(&conns);
                house.broker.read(house.now, conn, &bytes);
                house.turn_but_send_nothing();
            }
            Deed::Close(which) if !conns.is_empty() => {
                let conn = conns.remove(which.index(conns.len()));
                house.broker.closed(house.now, conn);
                house.turn_but_send_nothing();
            }
            Deed::Take(which, count) if !conns.is_empty() => house.send_to(*which.get(&conns), count),
            Deed::Wait(milliseconds) => house.wait(Duration::from_millis(milliseconds)),
            Deed::Disk => house.disk_works = !house.disk_works,
            Deed::Restart => {
                conns.clear();
                house.restart();
            }
            Deed::Send(..) | Deed::Close(_) | Deed::Take(..) => {}
        }
    }
    house.disk_works = true;
    for conn in conns {
        house.broker.closed(house.now, conn);
    }
    house.turn();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_comes_nothing_is_left_of_it(deeds in proptest::collection::vec(any_deed(), 1..60)) {
        let mut house = House::with(settings());
        do_all(&mut house, deeds);
        house.wait(Duration::from_mins(5));
        prop_assert_eq!((house.broker.connected(), house.broker.opening(), house.broker.session_count()), (0, 0, 0));
        prop_assert_eq!((house.broker.queued_bytes(), house.broker.buffered_bytes()), (0, 0));
        prop_assert_eq!(house.broker.next_deadline(), None);
        let left: Vec<_> = house.disk.keys().filter(|key| !key.starts_with("mqtt/retained/")).collect();
        prop_assert_eq!(left, Vec::<&std::sync::Arc<str>>::new());
        prop_assert_eq!(house.disk.len(), house.broker.retained().len());
    }
}
