#!/usr/bin/env python3
"""Many devices: how soon they are known, what they take, and what their messages cost beside those of plain topics.

    benches/devices.py

homerule is target/release/homerule, or $HOMERULE; $DEVICES (2,000) is how many, of the models in tests/fixtures/devices. Needs Python's
paho-mqtt 2.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import paho.mqtt.client as mqtt

DEVICES = int(os.environ.get("DEVICES", 2000))
MESSAGES = 40_000
ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMERULE = os.environ.get("HOMERULE", ROOT / "target/release/homerule")
MODELS = [json.loads(line) for line in (ROOT / "tests/fixtures/devices/zigbee2mqtt_devices.jsonl").read_text().splitlines()[1:]]
STATE = {"linkquality": 87, "battery": 71, "temperature": 21.4, "humidity": 48.2, "state": "ON", "brightness": 120, "last_seen": "2026-06-01T12:00:00Z"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def announced():
    """Returns what the bridge says of DEVICES devices, of as many models as there are."""
    devices = []
    for number in range(DEVICES):
        device = dict(MODELS[number % len(MODELS)])
        device["ieee_address"] = f"0x{number + 1:016x}"
        device["friendly_name"] = f"light {number}"
        devices.append(device)
    return json.dumps(devices)


class Home:
    """A home in a folder of its own, and its daemon."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"devices-{name}-"))
        self.mqtt, self.http = free_port(), free_port()
        (self.folder / "rules").mkdir()
        (self.folder / "homerule.yaml").write_text(
            f'broker: {{ listen: "127.0.0.1:{self.mqtt}" }}\nweb: {{ listen: "127.0.0.1:{self.http}" }}\nlimits: {{ payload: 64MiB }}\nrecorder: off\n'
        )
        (self.folder / "rules/rules.yaml").write_text("rules: { one: { when: plain/never, then: { out/never: 2 } } }\n")

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen([HOMERULE, "run", self.folder, "--quiet"], stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "w"))
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.mqtt), 1).close()
                return began
            except OSError:
                time.sleep(0.001)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def known(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/api/devices") as answer:
                return len(json.load(answer)["devices"])
        except OSError:
            return 0

    def memory(self):
        """Returns what is resident and not a page of a file, in MB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) / 1000

    def processor(self):
        """Returns the seconds of processor that the loop's thread has taken: others write, as the disk lets them."""
        taken = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            if name == "homerule":
                taken += int(fields.split()[11]) + int(fields.split()[12])
        return taken / os.sysconf("SC_CLK_TCK")

    def client(self):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(0)
        client.connect("127.0.0.1", self.mqtt)
        client.loop_start()
        return client


def publish_all(client, messages, retain=False):
    last = None
    for topic, payload in messages:
        last = client.publish(topic, payload, 1, retain)
    last.wait_for_publish(120)


def cost(home, client, topic):
    """Returns the µs of the loop that one message with QoS 1 to topics like `topic` costs."""
    payload = json.dumps(STATE)
    before = home.processor()
    publish_all(client, ((topic.format(number % DEVICES), payload) for number in range(MESSAGES)))
    return (home.processor() - before) / MESSAGES * 1e6


def main():
    homes = []
    try:
        home = Home("many")
        homes.append(home)
        home.start()
        client = home.client()
        topics = [(f"zigbee2mqtt/light {number}", json.dumps(STATE)) for number in range(DEVICES)]
        plain = [(f"plain/light {number}", json.dumps(STATE)) for number in range(DEVICES)]
        publish_all(client, topics + plain, True)
        time.sleep(2)
        without = home.memory()
        text = announced()
        before = home.processor()
        publish_all(client, [("zigbee2mqtt/bridge/devices", text)], True)
        while home.known() < DEVICES:
            time.sleep(0.01)
        print(f"{DEVICES} devices of {min(DEVICES, len(MODELS))} models, told in {len(text) / 1e6:.1f} MB: {home.processor() - before:.2f} s of processor")
        time.sleep(2)
        print(f"they take {home.memory() - without:.1f} MB, what the bridge said ({len(text) / 1e6:.1f} MB) included")
        for _ in range(3):
            print(f"a message costs {cost(home, client, 'plain/light {}'):.1f} µs on a plain topic, {cost(home, client, 'zigbee2mqtt/light {}'):.1f} µs on a device's")
        client.disconnect()
        home.stop()
        began = home.start()
        while home.known() < DEVICES:
            time.sleep(0.002)
        print(f"known again {1000 * (time.monotonic() - began):.0f} ms after a start, {home.processor():.2f} s of processor")
        time.sleep(10)
        print(f"then all of it takes {home.memory():.1f} MB")
        home.stop()
    finally:
        for home in homes:
            if home.process.poll() is None:
                home.process.kill()
            if "KEEP" not in os.environ:
                shutil.rmtree(home.folder, ignore_errors=True)


main()
