#!/usr/bin/env python3
"""Tries real clients with the broker: python3 tests/tools/clients/check.py [--install] [--only NAME] [PROGRAM].

Each client library is tried with each version of MQTT and each transport that it speaks: messages of all QoS, what is retained, wills, a
takeover of a half-open connection, and restarts of the broker, by SIGTERM and by SIGKILL. `--install` fetches the libraries into
target/clients, from PyPI and npm; what isn't there is skipped and said so. In CI that leaves mosquitto's clients and its bridge.
What was seen is in docs/clients.md.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

from house import PASSWORD, USER, Client, Failed, House, Watcher
from programs import PROGRAMS, Skipped

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
LIBRARIES = os.path.join(ROOT, "target", "clients")

PYTHON = {
    "paho 1.6": ("paho1", ["paho-mqtt==1.6.1"], "agent_paho.py"),
    "paho 2": ("paho2", ["paho-mqtt>=2"], "agent_paho.py"),
    "aiomqtt": ("aiomqtt", ["aiomqtt"], "agent_aiomqtt.py"),
    "gmqtt": ("gmqtt", ["gmqtt"], "agent_gmqtt.py"),
    "amqtt": ("amqtt", ["amqtt"], "agent_amqtt.py"),
}
NODE = {"MQTT.js 4": ("mqttjs4", ["mqtt@4"]), "MQTT.js 5": ("mqttjs5", ["mqtt@5"])}

ALL = [3, 4, 5]
SPEAKS = {
    "paho 1.6": (ALL, ["tcp", "tls", "ws", "wss"]),
    "paho 2": (ALL, ["tcp", "tls", "ws", "wss"]),
    "aiomqtt": (ALL, ["tcp", "tls", "ws", "wss"]),
    "gmqtt": ([4, 5], ["tcp", "tls"]),
    "amqtt": ([4], ["tcp", "tls", "ws", "wss"]),
    "MQTT.js 4": (ALL, ["tcp", "tls", "ws", "wss"]),
    "MQTT.js 5": (ALL, ["tcp", "tls", "ws", "wss"]),
}


def install():
    for folder, packages, _ in PYTHON.values():
        place = os.path.join(LIBRARIES, folder)
        if not os.path.exists(place):
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            subprocess.run([os.path.join(place, "bin", "pip"), "install", "--quiet", *packages], check=True)
    for folder, packages in NODE.values():
        place = os.path.join(LIBRARIES, folder)
        if not os.path.exists(place):
            os.makedirs(place)
            subprocess.run(["npm", "install", "--silent", "--prefix", place, *packages], check=True)


class Way:
    """A client library, a version of MQTT and a transport."""

    def __init__(self, name, version, transport):
        self.name, self.version, self.transport = name, version, transport

    def is_installed(self):
        folder = (PYTHON.get(self.name) or NODE[self.name])[0]
        return os.path.exists(os.path.join(LIBRARIES, folder))

    def start(self, house, name, filters=(), clean=False, will=None):
        is_secured = self.transport in ("tls", "wss")
        given = {
            "host": "localhost" if is_secured else "127.0.0.1",
            "port": getattr(house, self.transport),
            "websocket": self.transport in ("ws", "wss"),
            "ca": house.ca if is_secured else None,
            "user": USER if is_secured else None,
            "password": PASSWORD if is_secured else None,
            # amqtt's own identifiers hold a `/`.
            "id": f"{self.name}/{self.version}-{self.transport}-{name}",
            "version": self.version,
            "clean": clean,
            "will": will,
            "filters": list(filters),
        }
        if self.name in PYTHON:
            folder, _, agent = PYTHON[self.name]
            python = os.path.join(LIBRARIES, folder, "bin", "python")
            client = Client([python, os.path.join(HERE, agent)], given)
        else:
            modules = os.path.join(LIBRARIES, NODE[self.name][0], "node_modules")
            client = Client(["node", os.path.join(HERE, "agent_mqttjs.cjs")], given, {"NODE_PATH": modules})
        if filters:
            client.told("subscribed")
        else:
            client.told("connected")
        return client


def check(is_so, what):
    if not is_so:
        raise Failed(what)


def messages(house, way):
    """All QoS, each in order and none lost or doubled; what is retained; rules' answers."""
    client = way.start(house, "messages", ["talk/#", "answer/+"], clean=True)
    sent = [(str(number), number % 3) for number in range(60)]
    got = []
    # Some libraries leave it to their user to have no more under way than the broker takes.
    for begin in range(0, len(sent), 15):
        for payload, qos in sent[begin : begin + 15]:
            client.publish("talk/x", payload, qos)
        got.extend(client.message() for _ in range(15))
    for qos in range(3):
        of_it = [one["payload"] for one in got if one["qos"] == qos]
        check(of_it == [payload for payload, wanted in sent if wanted == qos], f"QoS {qos}: {of_it}")
    client.publish("ask/x", "who's there?")
    answer = client.message()
    check((answer["topic"], answer["payload"]) == ("answer/x", "who's there?"), f"the rule's answer: {answer}")
    client.publish("kept/x", "remember", 1, True)
    time.sleep(0.3)
    late = way.start(house, "late", ["kept/#"], clean=True)
    kept = late.message()
    check(kept["payload"] == "remember" and kept["retain"], f"what is retained: {kept}")
    client.publish("kept/x", "", 1, True)
    late.quit()
    client.quit()


def wills(house, way):
    """A will comes when the client dies, and not when it says good-bye."""
    watcher = Watcher(house, "will/#")
    way.start(house, "polite", clean=True, will=["will/polite", "gone"]).quit()
    way.start(house, "killed", clean=True, will=["will/killed", "gone"]).kill()
    check(watcher.message() == "will/killed gone", "the will of the one that was killed")
    watcher.kill()


def takeover(house, way):
    """A client comes back while its old connection is half open: it's heard at once, and what it said is what counts."""
    old = way.start(house, "twice", ["to/twice"])
    old.process.send_signal(signal.SIGSTOP)
    new = way.start(house, "twice", ["to/twice"])
    house.publish("to/twice", "hello")
    check(new.message()["payload"] == "hello", "the new connection hears")
    old.kill()
    house.publish("to/twice", "still there?")
    check(new.message()["payload"] == "still there?", "the end of the old connection changes nothing")
    new.quit()


def restart(house, way, how):
    """The broker goes and is back: the client too, by itself, and nothing that was acknowledged is lost."""
    client = way.start(house, f"lasting-{how}", ["to/lasting"])
    house.publish("to/lasting", "before")
    check(client.message()["payload"] == "before", "before")
    house.end(how)
    house.start()
    # It may come before the client is back: it waits in the session.
    house.publish("to/lasting", "after")
    came = [client.message()["payload"]]
    # With QoS 1, what the client had and hadn't acknowledged comes again.
    while came[-1] == "before":
        came.append(client.message()["payload"])
    check(came[-1] == "after", f"after the restart: {came}")
    client.publish("ask/restart", "works")
    client.quit()


SCENARIOS = {
    "messages": messages,
    "wills": wills,
    "takeover": takeover,
    "restart": lambda house, way: restart(house, way, signal.SIGTERM),
    "kill -9": lambda house, way: restart(house, way, signal.SIGKILL),
}


def attempt(what, scenario):
    try:
        scenario()
    except Skipped as error:
        print(f"skipped  {what}: {error}", flush=True)
        return 0
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(f"failed   {what}: {error}", flush=True)
        return 1
    print(f"well     {what}", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("program", nargs="?", default=os.path.join(ROOT, "target", "debug", "homerule"))
    options = parser.parse_args()
    if options.install:
        install()
    failed = 0
    house = House(os.path.abspath(options.program))
    house.start()
    for name, (versions, transports) in SPEAKS.items():
        if options.only and options.only != name:
            continue
        if not Way(name, 4, "tcp").is_installed():
            print(f"skipped  {name}: it isn't installed (--install)")
            continue
        for transport in transports:
            for version in versions:
                way = Way(name, version, transport)
                spoken = {3: "3.1", 4: "3.1.1", 5: "5.0"}[version]
                for what, scenario in SCENARIOS.items():
                    # Restarts are the same by every transport.
                    if transport in ("tls", "ws") and what in ("restart", "kill -9"):
                        continue
                    failed += attempt(f"{name}, MQTT {spoken}, {transport}: {what}", lambda: scenario(house, way))
    for name, program in PROGRAMS.items():
        if not options.only or options.only == name:
            failed += attempt(name, lambda: program(house, LIBRARIES))
    house.remove()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
