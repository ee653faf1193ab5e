#!/usr/bin/env python3
"""A building: 20,000 topics, three homerules that share its rules at one mosquitto, and one of them is killed under load.

    benches/building.py

homerule is target/release/homerule, or $HOMERULE; $TOPICS, $RATE (messages a second) and $SECONDS change the load. Needs mosquitto and
Python's paho-mqtt 2. Prints what came of each message, how long it took, and what each instance published.
"""

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

import paho.mqtt.client as mqtt

TOPICS = int(os.environ.get("TOPICS", 20_000))
RATE = int(os.environ.get("RATE", 500))
SECONDS = int(os.environ.get("SECONDS", 30))
ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMERULE = os.environ.get("HOMERULE", ROOT / "target/release/homerule")
RULES = """rules:
  light:
    each: { topic: building/+floor/+room/motion }
    when: building/${floor}/${room}/motion
    then: { "building/${floor}/${room}/light/set": "${payload}" }
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def topic(number, what):
    return f"building/{number // 100}/{number % 100}/{what}"


class Instance:
    def __init__(self, folder, name, broker):
        self.home = folder / name
        (self.home / "rules").mkdir(parents=True)
        self.web = free_port()
        (self.home / "homerule.yaml").write_text(
            f"broker: {{ url: mqtt://127.0.0.1:{broker} }}\nweb: {{ listen: 127.0.0.1:{self.web} }}\n"
            f"recorder: false\ninstance: {{ name: {name}, home: tower, share: [a, b, c], lease: 6s }}\n"
        )
        (self.home / "rules/rooms.yaml").write_text(RULES)
        self.process = subprocess.Popen(
            [HOMERULE, "run", self.home, "--quiet"], stdout=subprocess.DEVNULL, stderr=open(folder / f"{name}.log", "w")
        )

    def status(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/status", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def cpu(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def until(what, is_so, patience=300):
    end = time.time() + patience
    while not is_so():
        if time.time() > end:
            raise SystemExit(f"{what} didn't happen")
        time.sleep(0.2)


def shares(instances):
    def does(instance):
        state = instance.status().get("instance") or {}
        return state.get("role") == "sharing" and len(state.get("shares_with", [])) == len(instances) - 1

    until("sharing", lambda: all(does(instance) for instance in instances))


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="building-"))
    port = free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\nuser root\n"
    )
    running = [subprocess.Popen(["mosquitto", "-c", folder / "mosquitto.conf"], stderr=subprocess.DEVNULL)]
    sent, came, last = {}, {}, [0.0, 0.0]

    def heard(client, data, message):
        now = time.time()
        came.setdefault(message.payload.decode(), []).append(now)

    try:
        time.sleep(1)
        device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "building")
        device.max_inflight_messages_set(1000)
        device.on_message = heard
        device.connect("127.0.0.1", port)
        device.subscribe("building/+/+/light/set", 1)
        device.loop_start()
        for number in range(TOPICS):
            device.publish(topic(number, "motion"), "off", 1, retain=True)
        time.sleep(2)
        instances = []
        for name in "abc":
            began = time.time()
            instances.append(Instance(folder, name, port))
            running.append(instances[-1].process)
            shares(instances)
            print(f"`{name}` shares after {time.time() - began:.1f} s")
        came.clear()
        began, killed = time.time(), None
        cpu = [instance.cpu() for instance in instances]
        total = RATE * SECONDS
        for number in range(total):
            time.sleep(max(0.0, began + number / RATE - time.time()))
            if number == total // 2:
                used = [after.cpu() - before for after, before in zip(instances, cpu)]
                published = [(instance.status().get("link") or {}).get("sent") for instance in instances]
                instances[1].process.kill()
                killed = time.time()
            sent[str(number)] = time.time()
            device.publish(topic(number * 7919 % TOPICS, "motion"), str(number), 1, retain=True)
        until("all", lambda: len(came) >= total, 60)
        time.sleep(3)
        missing = [number for number in sent if number not in came]
        twice = [number for number, times in came.items() if len(times) > 1 and number in sent]
        before = sorted(came[n][0] - at for n, at in sent.items() if n in came and at < killed - 1)
        after = sorted(came[n][0] - at for n, at in sent.items() if n in came and at >= killed)
        print(f"{total} messages on {TOPICS} topics, {RATE} a second: {len(missing)} missing, {len(twice)} acted upon twice")
        print(f"before the kill: median {statistics.median(before) * 1000:.1f} ms, 99 % {before[len(before) * 99 // 100] * 1000:.0f} ms")
        print(f"after the kill: median {statistics.median(after) * 1000:.1f} ms, longest {after[-1] * 1000:.0f} ms")
        print(f"until the kill each sent {published} packets with messages and used {[round(one, 1) for one in used]} s of CPU")
    finally:
        for process in running:
            process.kill()
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)


main()
