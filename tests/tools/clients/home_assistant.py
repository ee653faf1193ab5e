"""Home Assistant with its integration for MQTT, in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from house import Failed, Watcher, free_port


def entry(house, version):
    """Returns the integration as the user's dialogue leaves it."""
    data = {"broker": "127.0.0.1", "port": house.tcp, "protocol": version, "discovery": True, "keepalive": 20}
    return {
        "version": 1, "minor_version": 1, "domain": "mqtt", "entry_id": "mqtt", "title": "MQTT", "data": data, "options": {},
        "unique_id": None, "source": "user", "disabled_by": None, "pref_disable_new_entities": False, "pref_disable_polling": False,
        "created_at": "2026-01-01T00:00:00+00:00", "modified_at": "2026-01-01T00:00:00+00:00", "discovery_keys": {}, "subentries": [],
    }


class HomeAssistant:
    def __init__(self, house, program, version):
        self.folder = tempfile.mkdtemp(prefix="hass-")
        self.port = free_port()
        os.mkdir(os.path.join(self.folder, ".storage"))
        self.write(
            ".storage/core.config_entries",
            json.dumps({"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry(house, version)]}}),
        )
        # A command of its own for the page of another program: what it hears goes out by an automation.
        self.write(
            "configuration.yaml",
            f"http: {{ server_host: 127.0.0.1, server_port: {self.port} }}\n"
            "logger: { default: warning }\n"
            "automation:\n"
            "  - alias: answers\n    mode: queued\n    max: 100\n"
            "    triggers: [{ trigger: mqtt, topic: ha/ask }]\n"
            "    actions: [{ action: mqtt.publish, data: { topic: ha/answer, payload: '{{ trigger.payload }}', qos: 1 } }]\n"
            "  - alias: sees the lamp\n"
            "    triggers: [{ trigger: state, entity_id: light.lamp, to: 'on' }]\n"
            "    actions: [{ action: mqtt.publish, data: { topic: ha/lamp, payload: 'seen', qos: 1 } }]\n"
            "  - alias: commands the lamp\n"
            "    triggers: [{ trigger: mqtt, topic: ha/off }]\n"
            "    actions: [{ action: light.turn_off, target: { entity_id: light.lamp } }]\n",
        )
        log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        self.process = subprocess.Popen([program, "--config", self.folder], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def wait(self):
        """Waits until it answers; the first time it installs what its integrations need."""
        end = time.monotonic() + 600
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(1)
            if self.process.poll() is not None:
                break
        raise Failed(f"Home Assistant doesn't start: {self.log()[-2000:]}")

    def remove(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


def asks(house, topic, answer, wanted, what, payload="hello"):
    """Asks until it is there; then it answers."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        house.publish(topic, payload)
        try:
            if answer.message(patience=2) == wanted:
                return
        except Failed:
            continue
    raise Failed(f"{what}: nothing comes")


def integration(house, program):
    """Birth, discovery, states, commands, restarts of the broker and the will, with both versions of MQTT."""
    for version in ("3.1.1", "5"):
        discovery = {
            "name": None, "object_id": "lamp", "unique_id": f"lamp-{version}", "state_topic": "lamp/state", "command_topic": "lamp/set",
            "device": {"identifiers": ["lamp"], "name": "Lamp"}, "qos": 1,
        }
        house.publish("homeassistant/light/lamp/config", json.dumps(discovery), "-r")
        status = Watcher(house, "homeassistant/status", "-R")
        home = HomeAssistant(house, program, version)
        try:
            home.wait()
            said = status.message(patience=120)
            if said != "homeassistant/status online":
                raise Failed(f"its birth: {said}")
            answer = Watcher(house, "ha/answer")
            asks(house, "ha/ask", answer, "ha/answer hello", "a trigger and an action")
            lamp, command = Watcher(house, "ha/lamp"), Watcher(house, "lamp/set")
            house.publish("lamp/state", "OFF")
            asks(house, "lamp/state", lamp, "ha/lamp seen", "the state of a discovered lamp", "ON")
            asks(house, "ha/off", command, "lamp/set OFF", "the command of a discovered lamp")
            for how in (signal.SIGTERM, signal.SIGKILL):
                house.end(how)
                house.start()
                answer = Watcher(house, "ha/answer", "-R")
                asks(house, "ha/ask", answer, "ha/answer again", f"after signal {how}", "again")
            status = Watcher(house, "homeassistant/status", "-R")
            home.process.kill()
            said = status.message(patience=60)
            while said == "homeassistant/status online":
                said = status.message(patience=60)
            if said != "homeassistant/status offline":
                raise Failed(f"its will: {said}")
        except Failed as error:
            raise Failed(f"MQTT {version}: {error}; its log: {home.log()[-1500:]}") from None
        finally:
            home.remove()
