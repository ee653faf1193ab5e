"""A home with its daemon, as a test of the page needs one."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from devtools import Failed, wait_for

RULES = {
    "rules/living.yaml": """\
rules:
  dim-for-tv:
    name: Dim the lights when the TV comes on
    description: Only after dark, and not while somebody reads.
    tags: [light, evening]
    when: { state: home/living/tv, field: state, to: "ON" }
    if:
      - state('home/living/lux', 'value', 0) < 60
      - { state: home/living/reading, is: false }
    then:
      - home/living/light/set: { state: "ON", brightness: 80 }

  light-off:
    name: Living room light off when nobody is there
    tags: [light]
    when: { state: home/living/motion, field: occupancy, to: false, for: 10m }
    then:
      - home/living/light/set: { state: "OFF" }

  fan-while-humid:
    name: Bathroom fan while it's humid
    tags: [climate]
    while: state('home/bath/climate', 'humidity', 0) > 65
    linger: 5m
    then: { home/bath/fan/set: "ON" }
    else: { home/bath/fan/set: "OFF" }
""",
    "rules/doors.yaml": """\
rules:
  door-alarm:
    name: Warn when the front door stays open
    tags: [safety]
    when: { state: home/hall/door, field: contact, to: false }
    then:
      - wait: { state: home/hall/door, field: contact, to: true }
        timeout: 30m
        on_timeout:
          - home/hall/siren/set: "ON"
      - log: the door is shut again

  bell:
    name: Door bell
    when: home/hall/bell
    cooldown: 30s
    then:
      - home/hall/chime/set: "ding"
      - delay: 500ms
      - home/hall/chime/set: "dong"

  on-chime:
    when: home/hall/chime/set
    if: payload == "dong"
    then: { home/living/notice: "somebody rang" }

  heating-report:
    name: Note what the heating costs
    tags: [climate]
    when: home/heating/power
    then:
      - home/heating/cost: "${msg.watts * 0.3}"

  awning-out:
    name: Awning out in the sun
    when: { state: home/terrace/sensor/lux, above: 20000 }
    then: { home/terrace/awning/set: "OUT" }
""",
}

BROKEN = """\
rules:
  oops:
    whne: home/x
    then: { home/y: 1 }
"""

RULES["rules/devices.yaml"] = """\
inputs:
  house: { type: choice, options: [home, away, night], default: home, name: Who is there }
  vacation: { type: toggle, default: false, name: We are away }
  night_brightness: { type: number, default: 20, min: 1, max: 100, unit: "%" }
  wake_at: { type: time, default: "07:00" }
  note: { type: text, default: "" }
  bell_test: { type: button, name: Try the bell }

rules:
  hall-light:
    name: Light in the hall while somebody is there
    tags: [light]
    when: { device: Hall sensor, field: occupancy, to: true }
    if: { device: Hall sensor, field: illuminance, below: 40 }
    then: { set: Hall lamp, to: { on: true, brightness: 60% } }
    yields: 2h

  hall-dark:
    name: Hall dark again
    when: { device: Hall sensor, field: occupancy, to: false, for: 3m }
    then: { set: Hall lamp, to: { on: false } }

  bell-test:
    when: { input: bell_test }
    then: { home/hall/bell: 1 }

  water-garden:
    name: Water the garden while it's dry
    when: { device: Garden pump, field: power, below: 5, for: 1h }
    if: not inputs.vacation
    then: { set: Garden pump, to: { on: true } }

invariants:
  dry-pump:
    name: The pump never runs while we are away
    never: "inputs.vacation and device('Garden pump').on"
"""

# Rules that run beside those in force: the bell rings twice there, and the alarm is forgotten.
SHADOW = """\
rules:
  bell:
    name: Door bell
    when: home/hall/bell
    cooldown: 30s
    then:
      - home/hall/chime/set: "ding"
      - home/hall/chime/set: "ding"

  heating-report:
    name: Note what the heating costs
    when: home/heating/power
    then:
      - home/heating/cost: "${msg.watts * 0.3}"
"""

DEVICES = """\
devices:
  - name: Garden pump
    area: garden
    state: garden/pump
    set: garden/pump/set
    properties:
      on: { path: state, values: { true: "ON", false: "OFF" } }
      power: { topic: garden/pump/power, unit: W }
      speed: { path: speed, range: [0, 10], set: { topic: garden/pump/speed } }
"""

BINARY = {"access": 7, "type": "binary", "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"}
ZIGBEE = [
    {
        "ieee_address": "0x00158d0000000001",
        "type": "Router",
        "supported": True,
        "friendly_name": "Hall lamp",
        "definition": {
            "model": "TS0502A",
            "vendor": "Tuya",
            "description": "Light controller",
            "exposes": [
                {
                    "type": "light",
                    "features": [
                        {**BINARY, "name": "state", "property": "state"},
                        {"name": "brightness", "access": 7, "type": "numeric", "property": "brightness", "value_max": 254, "value_min": 0},
                        {"name": "color_temp", "access": 7, "type": "numeric", "property": "color_temp", "unit": "mired", "value_max": 500, "value_min": 153},
                    ],
                },
                {"name": "effect", "access": 2, "type": "enum", "property": "effect", "values": ["blink", "breathe", "okay"]},
            ],
        },
    },
    {
        "ieee_address": "0x00158d0000000002",
        "type": "EndDevice",
        "supported": True,
        "friendly_name": "Hall sensor",
        "definition": {
            "model": "CCT595011",
            "vendor": "Schneider Electric",
            "description": "Wiser motion sensor",
            "exposes": [
                {"name": "battery", "access": 5, "type": "numeric", "property": "battery", "unit": "%", "value_max": 100, "value_min": 0},
                {"name": "occupancy", "access": 1, "type": "binary", "property": "occupancy", "value_on": True, "value_off": False},
                {"name": "illuminance", "access": 5, "type": "numeric", "property": "illuminance", "unit": "lx"},
            ],
        },
    },
    {
        "ieee_address": "0x00158d0000000003",
        "type": "EndDevice",
        "supported": True,
        "friendly_name": "Cellar sensor",
        "definition": {
            "model": "WSDCGQ11LM",
            "vendor": "Aqara",
            "description": "Temperature and humidity sensor",
            "exposes": [{"name": "humidity", "access": 1, "type": "numeric", "property": "humidity", "unit": "%", "value_max": 100, "value_min": 0}],
        },
    },
]

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> \u202egnp.exe \u0007"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class House:
    """A home in a folder of its own, whose daemon runs."""

    def __init__(self, program, token=None):
        self.program, self.token = program, token
        self.folder = tempfile.mkdtemp(prefix="homerule-house-")
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        listen = f'"0.0.0.0:{self.port}", token_file: token.txt' if token else f'"127.0.0.1:{self.port}", edit: true'
        self.write(
            "homerule.yaml",
            "location: { latitude: 52.5, longitude: 13.4, timezone: Europe/Berlin }\n"
            f'broker: {{ listen: "127.0.0.1:0" }}\nweb: {{ listen: {listen} }}\nshadow: {{ rules: shadow }}\n{DEVICES}',
        )
        self.write("shadow/doors.yaml", SHADOW)
        if token:
            self.write("token.txt", token)
        for path, text in RULES.items():
            self.write(path, text)
        self.process = None
        self.start()

    def write(self, path, text):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def remove(self, path):
        os.remove(os.path.join(self.folder, path))

    def read(self, path):
        with open(os.path.join(self.folder, path), encoding="utf-8") as file:
            return file.read()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "run", self.folder, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for("the daemon to listen", lambda: self.ask("GET", "/healthz") is not None)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None):
        """Asks the HTTP interface; None where nobody listens."""
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            return error.read()
        except OSError:
            return None

    def get(self, path):
        return json.loads(self.ask("GET", path))

    def publish(self, topic, payload, retain=False):
        self.ask("POST", "/api/publish", {"topic": topic, "payload": payload, "retain": retain})

    def have_devices(self):
        """Lets devices say what they are, and what they measure; one has gone, and one says what can't be."""
        self.publish("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True)
        self.publish("zigbee2mqtt/bridge/devices", ZIGBEE, retain=True)
        wait_for("the devices to be known", lambda: len(self.get("/api/devices")["devices"]) == 4)
        for name in ("Hall lamp", "Hall sensor"):
            self.publish(f"zigbee2mqtt/{name}/availability", {"state": "online"}, retain=True)
        self.publish("zigbee2mqtt/Cellar sensor/availability", {"state": "offline"}, retain=True)
        self.publish("zigbee2mqtt/Cellar sensor", {"humidity": 71})
        self.publish("zigbee2mqtt/Cellar sensor", {"humidity": "damp"})
        self.publish("zigbee2mqtt/Hall lamp", {"state": "OFF", "brightness": 20, "color_temp": 370})
        for index in range(20):
            self.publish("zigbee2mqtt/Hall sensor", {"occupancy": index % 4 == 0, "illuminance": 12 + index % 7, "battery": 80 - index // 5})
        wait_for("the lamp to be told", lambda: any(run["rule"] == "devices:hall-light" for run in self.get("/api/traces")))
        self.publish("zigbee2mqtt/Hall lamp", {"state": "ON", "brightness": 152, "color_temp": 370})
        self.publish("zigbee2mqtt/Hall lamp", {"state": "OFF", "brightness": 152, "color_temp": 370})
        self.publish("garden/pump", {"state": "OFF", "speed": 3})
        self.publish("garden/pump/power", 120)

    def live_a_day(self):
        """Lets devices say what they say in a house."""
        self.publish("home/living/lux", {"value": 40})
        self.publish("home/living/reading", False, retain=True)
        self.publish("home/living/tv", {"state": "ON"})
        self.publish("home/living/motion", {"occupancy": True})
        self.publish("home/living/motion", {"occupancy": False})
        for index in range(30):
            humidity = 52 + abs(index - 15)
            self.publish("home/bath/climate", {"humidity": humidity, "temperature": 19 + index % 7, "battery": 87})
        self.publish("home/hall/door", {"contact": True})
        self.publish("home/hall/door", {"contact": False})
        self.publish("home/hall/bell", 1)
        wait_for("the bell to ring", lambda: any(run["rule"] == "doors:on-chime" for run in self.get("/api/traces")))
        self.publish("home/hall/bell", 1)
        self.publish("home/heating/power", {"watts": 1200})
        self.publish("home/heating/power", {"wats": 900})
        self.publish("home/terrace/sensor/illuminance", 25000)
        self.have_devices()
        self.publish("hostile/<b>topic</b>", HOSTILE, retain=True)
        self.publish("hostile/large", "<b>" * 350_000)


def check(is_so, what):
    if not is_so:
        raise Failed(what)
