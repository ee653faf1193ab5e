#!/usr/bin/env python3
"""The page in the way of rules: 500 rules, 10,000 topics, a year of recordings, and five who look at all views at once.

    benches/page.py

homerule is target/release/homerule, or $HOMERULE; $READERS, $SECONDS, $RATE (messages a second), $DEVICES (of zigbee2mqtt, beside the topics)
change the load. Needs Python's paho-mqtt 2. Prints how soon rules act with and without readers, how soon each view is there, and the
longest time for which a question held up the loop.
"""

import datetime
import gzip
import json
import multiprocessing
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt

RULES, TOPICS = 500, 10_000
READERS = int(os.environ.get("READERS", 5))
SECONDS = int(os.environ.get("SECONDS", 20))
RATE = int(os.environ.get("RATE", 100))
DEVICES = int(os.environ.get("DEVICES", 0))
ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMERULE = os.environ.get("HOMERULE", ROOT / "target/release/homerule")
VIEWS = [
    "/", "/rules", "/rules?text=r4", "/rules/r7:rule17", "/rules/r2:rule42?outcome=skipped", "/topics", "/topics?filter=home/%2B/t7",
    "/topics/home/r1/t7?field=value&last=7d", "/topics/home/r1/t7?field=value&last=30d", "/timeline?last=1h", "/timeline?last=24h",
    "/timeline?topic=home/r1/t7&last=24h", "/graph", "/graph?page=3", "/graph?rule=rule17", "/graph?topic=home/r1/%23", "/inputs", "/devices",
    "/api/now", "/api/rules", "/api/state", "/api/graph", "/api/history?topic=home/r2/t9&field=value&from=2026-01-01T00:00:00Z",
    "/api/rules/rule17/verdict", "/api/traces", "/api/timeline", "/api/devices", "/api/status", "/metrics",
]


def write_home(home, ports):
    (home / "rules").mkdir()
    (home / "homerule.yaml").write_text(
        f'broker: {{ listen: "127.0.0.1:{ports["mqtt"]}" }}\nweb: {{ listen: "127.0.0.1:{ports["http"]}" }}\nrecorder: {{ keep: 400d }}\n'
    )
    for file in range(10):
        rules = "".join(
            f"  rule{number}:\n    name: Rule {number}\n    tags: [t{number % 7}]\n"
            f"    when: {{ state: home/r{number % 100}/t{number % 97}, field: value, above: 500 }}\n"
            f"    if: state('home/r{number % 100}/t{number % 89}', 'value', 0) >= 0\n"
            f"    then: {{ home/r{number % 100}/lamp{number}/set: {{ state: ON, n: {number} }} }}\n"
            for number in range(file, RULES, 10)
        )
        (home / f"rules/r{file}.yaml").write_text("rules:\n" + rules)
    (home / "rules/probe.yaml").write_text(
        "inputs: { vacation: { type: toggle } }\nrules:\n  probe: { when: probe/+name, if: msg.n >= 0, then: { 'answer/${name}': '${msg.n}' } }\n"
    )


def record_a_year(home):
    """Writes a file a day, as the recorder packs them: a hundred messages an hour."""
    folder = home / "data" / "recordings"
    folder.mkdir(parents=True)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    for day in range(365, 0, -1):
        begin = now - datetime.timedelta(days=day)
        lines = []
        for index in range(2400):
            at = begin + datetime.timedelta(seconds=index * 36)
            payload = json.dumps({"value": (index * 37 + day) % 1000})
            topic = f"home/r{index % 100}/t{index // 100 % 100}"
            line = {"tst": at.strftime("%Y-%m-%dT%H:%M:%S.000000Z"), "topic": topic, "qos": 0, "retain": 0, "payloadlen": len(payload), "payload": payload, "origin": "live"}
            lines.append(json.dumps(line, separators=(",", ":")))
        with gzip.open(folder / begin.strftime("%Y-%m-%dT%H%M%SZ.jsonl.gz"), "wt", compresslevel=1) as file:
            file.write("\n".join(lines) + "\n")


def definitions():
    exposes = [
        {"type": "light", "features": [
            {"name": "state", "access": 7, "type": "binary", "property": "state", "value_on": "ON", "value_off": "OFF"},
            {"name": "brightness", "access": 7, "type": "numeric", "property": "brightness", "value_max": 254, "value_min": 0},
        ]},
        {"name": "linkquality", "access": 1, "type": "numeric", "property": "linkquality", "unit": "lqi", "value_max": 255, "value_min": 0},
    ]
    return [
        {"ieee_address": f"0x{number:016x}", "type": "Router", "supported": True, "friendly_name": f"lamp {number}",
         "definition": {"model": f"M{number % 40}", "vendor": "V", "description": "d", "exposes": exposes}}
        for number in range(1, DEVICES + 1)
    ]


def start(home, ports):
    log = ["--log", "info,homerule::daemon::home::input=debug"]
    process = subprocess.Popen([HOMERULE, "run", str(home), "--quiet", *log], stdout=subprocess.DEVNULL, stderr=open(home / "log.txt", "w"))
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{ports['http']}/healthz").read()
            return process
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.01)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def connect(port):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def fill(port):
    client = connect(port)
    for number in range(TOPICS):
        info = client.publish(f"home/r{number % 100}/t{number // 100}", json.dumps({"value": number % 400}), qos=1)
    if DEVICES:
        info = client.publish("zigbee2mqtt/bridge/devices", json.dumps(definitions()), qos=1, retain=True)
        for number in range(1, DEVICES + 1):
            info = client.publish(f"zigbee2mqtt/lamp {number}", json.dumps({"state": "ON", "brightness": 100, "linkquality": 90}), qos=1)
    info.wait_for_publish()
    client.disconnect()
    client.loop_stop()


def probe(port, seconds, out):
    """Lets a rule answer, and notes how soon it did."""
    sent, took = {}, []
    client = connect(port)

    def heard(_client, _data, message):
        number = int(float(message.payload))
        took.append(time.perf_counter() - sent[number])

    client.on_message = heard
    client.subscribe("answer/#")
    time.sleep(0.5)
    end, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        sent[number] = time.perf_counter()
        client.publish(f"probe/p{number % 10}", json.dumps({"n": number}))
        number += 1
        time.sleep(max(0, number / RATE - (time.perf_counter() - end + seconds)))
    time.sleep(1)
    out.put((number, took))


def read(port, first, seconds, out):
    """Looks at one view after the other, and at the stream's begin in between."""
    took, end, index = {}, time.perf_counter() + seconds, first * 5
    while time.perf_counter() < end:
        path = VIEWS[index % len(VIEWS)]
        index += 1
        headers = {"accept": "application/json" if path.startswith("/api") else "text/html", "accept-encoding": "gzip"}
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=60) as answer:
                length = len(answer.read())
        except OSError as error:
            print(path, error)
            continue
        took.setdefault(path, []).append((time.perf_counter() - begun, length))
        # A browser shows a page before it asks for the next one.
        time.sleep(0.1)
    out.put(took)


def told(took):
    took = sorted(took)
    part = lambda share: took[min(len(took) - 1, int(len(took) * share))] * 1000
    return f"p50 {part(0.5):.2f} ms, p99 {part(0.99):.2f} ms, longest {took[-1] * 1000:.2f} ms"


def longest(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return float(re.search(r"^homerule_longest_question_seconds (\S+)", answer.read().decode(), re.M).group(1))


def run(target, *arguments):
    out = multiprocessing.Queue()
    process = multiprocessing.Process(target=target, args=(*arguments, out))
    process.start()
    return process, out


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        ports = {"mqtt": free_port(), "http": free_port()}
        write_home(home, ports)
        record_a_year(home)
        process = start(home, ports)
        try:
            fill(ports["mqtt"])
            time.sleep(3)
            _, out = run(probe, ports["mqtt"], SECONDS)
            number, took = out.get()
            print(f"alone: {len(took)} of {number} answered, {told(took)}")
            readers = [run(read, ports["http"], index, SECONDS + 2)[1] for index in range(READERS)]
            time.sleep(1)
            _, out = run(probe, ports["mqtt"], SECONDS)
            number, took = out.get()
            print(f"with {READERS} readers: {len(took)} of {number} answered, {told(took)}")
            views = {}
            for reader in readers:
                for path, found in reader.get().items():
                    views.setdefault(path, []).extend(found)
            for path, found in sorted(views.items(), key=lambda item: -statistics.median(took for took, _ in item[1])):
                print(f"  {path}: median {statistics.median(took for took, _ in found) * 1000:.0f} ms, longest {max(found)[0] * 1000:.0f} ms, {found[0][1] / 1000:.0f} KB, {len(found)} times")
            print(f"the longest question held up the loop for {longest(ports['http']) * 1000:.2f} ms")
            held = {}
            for took, name in re.findall(r"took_us=(\d+) name=\"?([^\"\n]+)", (home / "log.txt").read_text()):
                what = name.split(", ")[-1].replace("::{{closure}}", "").removeprefix("homerule::daemon::")
                held.setdefault(what, []).append(int(took) / 1000)
            for what, found in sorted(held.items(), key=lambda item: -max(item[1])):
                print(f"  over 5 ms: {what}: {len(found)} times, at most {max(found):.1f} ms")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
