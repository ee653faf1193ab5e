//! Recordings by the tools that people have: each reads as the same messages.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use homerule::disk::recording_file;
use homerule::model::recording::{Recorded, RecordingReader};

use crate::home::Home;

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name)
}

/// What a recording says: topic, payload and retained a line, then what is wrong.
fn told(recording: &[u8]) -> String {
    let mut reader = RecordingReader::new(recording);
    let mut text = String::new();
    for Recorded { message, .. } in reader.by_ref() {
        let payload = message.payload.bytes().escape_ascii();
        writeln!(text, "{} {} {payload}", message.topic, message.origin.as_str()).unwrap();
    }
    for line in [reader.findings().skipped_lines(), reader.findings().warnings()].concat() {
        writeln!(text, "! {line}").unwrap();
    }
    text
}

fn fixture_told(name: &str) -> String {
    told(&fs::read(fixture(name)).unwrap())
}

/// What was published when the fixtures were made.
const TRAFFIC: &str = r#"home/hall/motion retained { \"occupancy\": false }
home/door retained open
home/living/tv live {\"state\":\"ON\"}
home/hall/temperature live 21.50
home/kitchen/tv live ON
home/note live two\nlines, \"quoted\"
home/räume/flur live Gr\xc3\xbc\xc3\x9fe
home/empty live 
home/true live true
home/list live [1, 2.0,  \"x\"]
home/text live \"quoted\"
home/living/tv live {\"state\":\"OFF\"}
home/blob live \xff\x00\x01
home/nul live a\x00b
home/living/tv live {\"state\":\"ON\"}
"#;

#[test]
fn formats_that_keep_everything_give_what_was_published() {
    assert_eq!(fixture_told("mosquitto_uqrtlp.txt"), TRAFFIC);
    assert_eq!(fixture_told("mqtt_recorder_rs.jsonl"), TRAFFIC);
    let base64 = "! line 1: the payloads are read as base64, since all of the first rows are\n";
    assert_eq!(fixture_told("mqtt_recorder_b64.csv"), format!("{TRAFFIC}{base64}"));
}

#[test]
fn what_mosquitto_cuts_at_a_nul_is_told() {
    let cut = TRAFFIC.replace(r"\xff\x00\x01", r"\xff").replace(r"a\x00b", "a");
    let warning =
        "! line 13: the payload should have 3 bytes but has 1, so it was cut off or changed; 1 more line like this\n";
    assert_eq!(fixture_told("mosquitto_j.jsonl"), format!("{cut}{warning}"));
    assert_eq!(fixture_told("mosquitto_berlin.jsonl"), format!("{cut}{warning}"));
}

#[test]
fn json_that_mosquitto_embeds_is_read_as_it_stands() {
    insta::assert_snapshot!(fixture_told("mosquitto_json.jsonl"));
}

#[test]
fn lines_of_time_topic_and_payload_have_no_place_for_a_line_break() {
    insta::assert_snapshot!(fixture_told("mosquitto_itp.txt"));
}

#[test]
fn rows_of_mqtt_recorder_may_span_lines() {
    let wanted: String = TRAFFIC.lines().take(12).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(fixture_told("mqtt_recorder.csv"), wanted);
}

#[test]
fn times_of_two_zones_are_the_same_instants() {
    let times = |name: &str| -> Vec<i64> {
        let bytes = fs::read(fixture(name)).unwrap();
        RecordingReader::new(&bytes[..]).map(|recorded| recorded.at.as_second()).collect()
    };
    assert_eq!(times("mosquitto_j.jsonl"), times("mosquitto_berlin.jsonl"));
    assert_eq!(times("mosquitto_j.jsonl")[2], 1_795_582_149);
}

#[test]
fn bad_lines_are_told_with_their_numbers_and_skipped() {
    insta::assert_snapshot!(told(
        br#"{"tst":"2024-06-01T20:00:00Z","topic":"a","payload":"1","payloadlen":1}
{"tst":"2024-06-01T20:00:01Z","topic":"a","payl
{"tst":"yesterday","topic":"a","payload":"2"}

{"tst":"2024-06-01T20:00:01Z","topic":"a/#","payload":"2"}
{"tst":"2024-06-01T20:00:01Z","topic":"a","payload":"3","payloadlen":7}
{"tst":"2024-06-01T19:00:00Z","topic":"a","payload":"4"}
{"topic":"a","payload":"5"}
{"tst":"2024-06-01T22:00:00","topic":"a","payload":"6"}
{"tst":"2024-06-01T22:00:00Z","topic":"a","payload":"7","qos":9}
not JSON at all
{"tst":"2024-06-01T22:00:01Z","topic":"a","payload_b64":"/wA=","payloadlen":2}
"#
    ));
}

#[test]
fn a_payload_that_a_tool_dropped_clears_nothing() {
    let at = "\"tst\":\"2024-06-01T20:00:00Z\"";
    let lines = format!(
        "{{{at},\"topic\":\"a\",\"payload\":\"1\"}}\n{{{at},\"topic\":\"a\",\"payloadlen\":7,\"payload\":\"\"}}\n\
         {{{at},\"topic\":\"b\",\"payloadlen\":0,\"payload\":\"\"}}\n{{{at},\"topic\":\"c\",\"payloadlen\":3,\"payload\":null}}\n"
    );
    let warning = "! line 2: the payload of 7 bytes is missing, so the message is left out; it may be no text; \
                   1 more line like this\n";
    assert_eq!(told(lines.as_bytes()), format!("a live 1\nb live \n{warning}"));
    let counted = "1.5 0 0 a 3 abc\n2.5 0 0 a 4 \n3.5 0 0 b 0 \n";
    let warning = "! line 2: the payload of 4 bytes is missing, so the message is left out; it may be no text\n";
    assert_eq!(told(counted.as_bytes()), format!("a live abc\nb live \n{warning}"));
}

#[test]
fn a_time_before_json_is_no_recording() {
    let line = "2026-11-30T18:00:00+0100 {\"topic\": \"home/tv\", \"payload\": \"ON\"}\n";
    let said = told(line.repeat(3).as_bytes());
    assert!(said.starts_with("! line 1 was skipped: it is of no format that is known"), "{said}");
    let among_others = told(format!("2026-11-30T18:00:00+0100 a b\n{line}").as_bytes());
    assert!(among_others.contains("line 2 was skipped: a time before JSON isn't a known format"), "{among_others}");
    assert_eq!(told(b"2026-11-30T18:00:00+0100 a {\"b\": 1}\n"), "a live {\\\"b\\\": 1}\n");
}

#[test]
fn a_recording_without_any_time_is_read_at_one_instant() {
    let mut reader = RecordingReader::new(&b"{\"topic\":\"a\"}\n{\"topic\":\"b\"}\n"[..]);
    let times: Vec<String> = reader.by_ref().map(|recorded| recorded.at.to_string()).collect();
    assert_eq!(times, ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"]);
    assert_eq!(
        reader.findings().warnings(),
        ["line 1: it has no time, so it gets the time of the message before it; 1 more line like this"]
    );
}

#[test]
fn what_is_no_recording_is_told_and_not_told_for_ever() {
    let text = "lorem ipsum\n".repeat(1000);
    assert_eq!(
        told(text.as_bytes()),
        "! line 1 was skipped: it is of no format that is known; `homerule record` and `mosquitto_sub -F %j` write one that \
         is, with the time of each message\n! 999 more lines were skipped\n"
    );
    let broken = "{\n".repeat(1000);
    let told = told(broken.as_bytes());
    assert_eq!(told.lines().count(), 21);
    assert!(told.ends_with("! 980 more lines were skipped\n"), "{told}");
}

/// What `pzstd` puts between frames, for itself.
const SKIPPED: [u8; 12] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];

#[test]
fn a_recording_packed_in_parts_is_read_whole() {
    let home = Home::new(&[]);
    let parts = |name: &str, first: &[u8], second: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, [first, second].concat()).unwrap();
        let mut reader = recording_file::read(&path).unwrap();
        let count = reader.by_ref().count();
        (count, reader.findings().skipped_lines())
    };
    let (gzip, zstd) = ("mosquitto_j.jsonl.gz", "mosquitto_j.jsonl.zst");
    let (gzip, zstd) = (fs::read(fixture(gzip)).unwrap(), fs::read(fixture(zstd)).unwrap());
    assert_eq!(parts("two.gz", &gzip, &gzip), (30, vec![]));
    assert_eq!(parts("two.zst", &zstd, &zstd), (30, vec![]));
    assert_eq!(parts("pzstd.zst", &SKIPPED, &[&zstd[..], &SKIPPED, &zstd].concat()), (30, vec![]));
    let cut = "line 16 was skipped: can't read the rest of the file: it is packed, and ends in the middle";
    assert_eq!(parts("cut.gz", &gzip, &gzip[..9]), (15, vec![cut.to_owned()]));
    assert_eq!(parts("cut.zst", &zstd, &zstd[..9]), (15, vec![cut.to_owned()]));
    let (count, damaged) = parts("damaged.zst", &zstd, &[&zstd[..40], &[0xff; 40], &zstd[80..]].concat());
    assert!(count == 15 && damaged[0].contains("it is packed, and damaged: "), "{damaged:?}");
}

#[test]
fn a_payload_that_was_cut_swallows_no_message() {
    let text = b"1.0 0 0 a 9 cut\n2.0 0 0 b 1 x\n3.0 0 0 c 3 a\nb\n";
    let wanted = "a live cut\nb live x\nc live a\\nb\n! line 1: the payload should have 9 bytes but has 3, so it was cut off or changed\n";
    assert_eq!(told(text), wanted);
}

#[test]
fn lines_of_text_may_end_in_cr_lf_and_a_payload_in_a_cr_of_its_own() {
    let wanted = "a live ON\nb live x y\n";
    assert_eq!(told(b"2024-06-01T18:00:00Z a ON\r\n2024-06-01T18:00:01Z b x y\r\n"), wanted);
    assert_eq!(told(b"\xef\xbb\xbf2024-06-01T18:00:00Z a ON\r\n2024-06-01T18:00:01Z b x y\r\n"), wanted);
    assert_eq!(told(b"1.5 0 0 a 2 ON\r\n2.5 0 0 b 3 x y\r\n"), wanted);
    assert_eq!(told(b"1.5 0 0 a 2 ON\r\n2.5 0 0 b 3 x\r\ny\r\n"), "a live ON\nb live x\\ny\n");
    assert_eq!(told(b"1.5 0 0 a 2 ON\r\n2.5 0 0 b 2 x\r\r\n"), "a live ON\nb live x\\r\n");
    let own = "a live ON\\r\nb live x y\n";
    assert_eq!(told(b"2024-06-01T18:00:00Z a ON\r\n2024-06-01T18:00:01Z b x y\n"), own);
    assert_eq!(told(b"1.5 0 0 a 3 ON\r\n2.5 0 0 b 3 x y\n"), own);
}
