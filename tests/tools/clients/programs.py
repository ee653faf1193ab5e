"""Programs that bring a client of their own: mosquitto's clients and bridge, Node-RED, zigbee2mqtt, Home Assistant."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from home_assistant import integration
from house import PASSWORD, USER, Client, Failed, Lines, Watcher, free_port, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


class Skipped(Exception):
    """A program isn't installed."""


def check(is_so, what):
    if not is_so:
        raise Failed(what)


def need(place):
    if not os.path.exists(place):
        raise Skipped("it isn't installed")


def need_mosquitto():
    if not shutil.which("mosquitto_pub") or not shutil.which("mosquitto"):
        # It's what CI has.
        raise (Failed if os.environ.get("CI") == "true" else Skipped)("it isn't installed")


def mosquitto_clients(house, _):
    """mosquitto_pub and mosquitto_sub: each version, with and without --cafile and a user; wills."""
    need_mosquitto()
    secured = ["-h", "localhost", "-p", str(house.tls), "--cafile", house.ca, "-u", USER, "-P", PASSWORD]
    for version in ("31", "311", "5"):
        for name, way in (("plain", ["-p", str(house.tcp)]), ("secured", secured)):
            for qos in "012":
                topic = f"mosquitto/{version}/{name}"
                watcher = Watcher(house, topic)
                subprocess.run(["mosquitto_pub", "-V", version, *way, "-t", topic, "-q", qos, "-m", "hello"], check=True, timeout=30)
                check(watcher.message() == f"{topic} hello", topic)
                watcher.kill()
                kept = ["mosquitto_sub", "-V", version, *way, "-t", topic, "-q", qos, "-C", "1", "-W", "10"]
                subprocess.run(["mosquitto_pub", "-V", version, *way, "-t", topic, "-q", qos, "-r", "-m", "kept"], check=True, timeout=30)
                said = subprocess.run(kept, check=True, capture_output=True, timeout=30).stdout
                check(said == b"kept\n", f"{topic}: {said}")
                subprocess.run(["mosquitto_pub", "-V", version, *way, "-t", topic, "-q", qos, "-r", "-n"], check=True, timeout=30)
            watcher = Watcher(house, "will/mosquitto")
            options = ["-V", version, *way, "-t", "x", "--will-topic", "will/mosquitto", "--will-payload", "gone", "--will-qos", qos]
            dying = Lines(["stdbuf", "-oL", "mosquitto_sub", "-d", *options])
            dying.next("the subscription", lambda line: True if line.startswith("Subscribed") else None)
            dying.kill()
            check(watcher.message() == "will/mosquitto gone", "the will")
            watcher.kill()
        wrong = ["mosquitto_pub", "-V", version, *secured[:-1], "wrong", "-t", "x", "-m", "x"]
        # One wrong password a version: five in a row would have to wait.
        check(subprocess.run(wrong, check=False, capture_output=True, timeout=30).returncode != 0, "a wrong password is refused")
    subprocess.run(["mosquitto_pub", *secured, "-t", "x", "-m", "x"], check=True, timeout=30)


def bridge(house, _):
    """A mosquitto whose bridge leads here, with the bridge's default settings."""
    need_mosquitto()
    folder = tempfile.mkdtemp(prefix="bridge-")
    port = free_port()
    settings = os.path.join(folder, "mosquitto.conf")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"connection home\naddress 127.0.0.1:{house.tcp}\ntopic bridged/# both 1\nrestart_timeout 1\n"
        )
    mosquitto = subprocess.Popen(["mosquitto", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        there = ["-p", str(port), "-q", "1"]
        wait_for("mosquitto to listen", lambda: subprocess.run(["mosquitto_pub", *there, "-t", "x", "-m", "x"], check=False, capture_output=True).returncode == 0)
        crosses(house, there, "first")
        for how in (signal.SIGTERM, signal.SIGKILL):
            house.end(how)
            house.start()
            crosses(house, there, f"after signal {how}")
    finally:
        mosquitto.terminate()
        mosquitto.wait(30)
        shutil.rmtree(folder)


def crosses(house, there, what):
    """A message goes each way, once."""
    here = Watcher(house, "bridged/#")
    over = Lines(["stdbuf", "-oL", "mosquitto_sub", "-d", *there, "-t", "bridged/#", "-F", "=%t %p"])
    over.next("the subscription", lambda line: True if line.startswith("Subscribed") else None)
    message = lambda line: line[1:] if line.startswith("=") else None
    # Until the bridge is there: a ping that comes over.
    end = time.monotonic() + 30
    while True:
        subprocess.run(["mosquitto_pub", *there, "-t", "bridged/ping", "-m", what], check=True)
        try:
            here.message(patience=1)
            break
        except Failed:
            check(time.monotonic() < end, f"{what}: nothing crosses the bridge")
    house.publish("bridged/back", what)
    check(over_has(over, f"bridged/back {what}", message) == 1, f"{what}: it comes over the bridge once")
    here.kill()
    over.kill()


def over_has(lines, wanted, message):
    """Returns how often a message came, in the time that an echo would take."""
    count = 0
    patience = 30
    try:
        while True:
            if lines.next("a message", message, patience) == wanted:
                count, patience = count + 1, 1
    except Failed:
        return count


def node_red(house, libraries):
    """A flow of Node-RED with nodes for MQTT, 3.1.1 and 5."""
    modules = os.path.join(libraries, "nodered", "node_modules", "node-red")
    need(modules)
    for version in ("4", "5"):
        folder = tempfile.mkdtemp(prefix="nodered-")
        flow = [
            {"id": "tab", "type": "tab", "label": "Home"},
            {
                "id": "broker", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": str(house.tcp), "clientid": "",
                "autoConnect": True, "usetls": False, "protocolVersion": version, "keepalive": "20", "cleansession": True,
                "birthTopic": "nodered/alive", "birthQos": "1", "birthRetain": "true", "birthPayload": "yes",
                "willTopic": "nodered/alive", "willQos": "1", "willRetain": "true", "willPayload": "no",
            },
            {
                "id": "in", "type": "mqtt in", "z": "tab", "topic": "nodered/in/#", "qos": "2", "datatype": "auto", "broker": "broker",
                "inputs": 0, "wires": [["change"]],
            },
            {
                "id": "change", "type": "function", "z": "tab", "outputs": 1, "wires": [["out"]],
                "func": "return { payload: msg.payload, topic: msg.topic.replace('in', 'out'), qos: 2, retain: true };",
            },
            {"id": "out", "type": "mqtt out", "z": "tab", "topic": "", "qos": "", "retain": "", "broker": "broker", "wires": []},
        ]
        with open(os.path.join(folder, "flows.json"), "w", encoding="utf-8") as file:
            json.dump(flow, file)
        alive = Watcher(house, "nodered/alive")
        out = Watcher(house, "nodered/out/#")
        command = ["node", os.path.join(modules, "red.js"), "--userDir", folder, "--port", str(free_port()), "flows.json"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            said = alive.message()
            while said != "nodered/alive yes":
                said = alive.message()
            answers(house, out, "first")
            for how in (signal.SIGTERM, signal.SIGKILL):
                house.end(how)
                house.start()
                out = Watcher(house, "nodered/out/#", "-R")
                answers(house, out, f"after signal {how}")
            alive = Watcher(house, "nodered/alive", "-R")
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder)
        check(alive.message() == "nodered/alive no", "the will")


def answers(house, out, what):
    """Asks until it is back; then it answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        house.publish("nodered/in/x", what)
        try:
            if out.message(patience=1) == f"nodered/out/x {what}":
                return
        except Failed:
            pass
    raise Failed(f"{what}: no answer")


def zigbee2mqtt(house, libraries):
    """zigbee2mqtt's own class for MQTT: 300 retained messages at once, its state, a restart and its will."""
    modules = os.path.join(libraries, "z2m", "node_modules")
    need(os.path.join(modules, "zigbee2mqtt"))
    for version in (4, 5):
        for secured in (False, True):
            base = f"zigbee{version}{secured}"
            given = {
                "host": "localhost" if secured else "127.0.0.1", "port": house.tls if secured else house.tcp, "version": version,
                "base": base, "ca": house.ca if secured else None, "user": USER, "password": PASSWORD,
            }
            state = Watcher(house, f"{base}/bridge/state")
            client = Client(["node", os.path.join(HERE, "agent_zigbee2mqtt.cjs")], given, {"NODE_PATH": modules})
            client.told("published")
            check("online" in state.message(), "it says that it is online")
            counted = ["mosquitto_sub", "-p", str(house.tcp), "-t", f"{base}/+/config", "-C", "300", "-W", "10", "-F", "%r"]
            said = subprocess.run(counted, check=True, capture_output=True, timeout=30).stdout
            check(said == b"1\n" * 300, "all of it is retained")
            house.publish(f"{base}/lamp/set", "ON")
            check(client.message()["payload"] == "ON", "it hears a command")
            for how in (signal.SIGTERM, signal.SIGKILL):
                house.end(how)
                house.start()
                state = Watcher(house, f"{base}/bridge/state", "-R")
                check("online" in state.message(), f"after signal {how} it is back")
                heard = f"after {how}"
                end = time.monotonic() + 30
                while time.monotonic() < end:
                    house.publish(f"{base}/lamp/set", heard)
                    try:
                        if client.message(patience=1)["payload"] == heard:
                            break
                    except Failed:
                        continue
                else:
                    raise Failed(f"{heard}: it hears no command")
            client.kill()
            check("offline" in state.message(), "its will")


def home_assistant(house, libraries):
    """Home Assistant's integration for MQTT."""
    program = os.path.join(libraries, "hass", "bin", "hass")
    need(program)
    integration(house, program)


PROGRAMS = {
    "mosquitto_pub and mosquitto_sub": mosquitto_clients,
    "mosquitto's bridge": bridge,
    "Node-RED": node_red,
    "zigbee2mqtt": zigbee2mqtt,
    "Home Assistant": home_assistant,
}
