"""A broker to try clients with, and a client of another make that looks on."""

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 30
USER, PASSWORD = "ann", "correct horse"

RULES = """\
rules:
  echo: { when: "ask/+name", then: { "answer/${name}": "${payload}" } }
"""


class Failed(Exception):
    """A client didn't do what it should."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, is_so, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if is_so():
            return
        time.sleep(0.02)
    raise Failed(f"{what} didn't happen within {patience} s")


def certificate(folder):
    """Makes an authority, and a certificate for this machine, as docs/security.md shows it."""

    def run(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    run(*"req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=home -keyout ca.key -out ca.pem".split())
    run(*"req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem".split())
    with open(os.path.join(folder, "names"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
    run(*"x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 30 -extfile names -out cert.pem".split())


class House:
    """A home with its daemon, on ports that stay the same when it is started again."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="clients-")
        certificate(self.folder)
        self.ca = os.path.join(self.folder, "ca.pem")
        self.tcp, self.tls, self.ws, self.wss = (free_port() for _ in range(4))
        self.process = None
        tls = "tls: { certificate: cert.pem, key: key.pem }"
        self.write(
            "homerule.yaml",
            "broker:\n  users: users.txt\n  anonymous: true\n  listen:\n"
            f'    - 127.0.0.1:{self.tcp}\n    - {{ address: "127.0.0.1:{self.tls}", {tls} }}\n'
            f'    - {{ address: "127.0.0.1:{self.ws}", websocket: true }}\n'
            f'    - {{ address: "127.0.0.1:{self.wss}", websocket: true, {tls} }}\n'
            'web: { listen: "127.0.0.1:0" }\n',
        )
        os.mkdir(os.path.join(self.folder, "rules"))
        self.write("rules/all.yaml", RULES)
        asked = [program, "passwd", os.path.join(self.folder, "users.txt"), USER, "--stdin"]
        subprocess.run(asked, input=PASSWORD + "\n", text=True, check=True, capture_output=True)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        command = [self.program, "run", self.folder, "--quiet"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the broker to listen", lambda: socket.socket().connect_ex(("127.0.0.1", self.tcp)) == 0)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def remove(self):
        self.end()
        shutil.rmtree(self.folder)

    def publish(self, topic, payload, *options):
        command = ["mosquitto_pub", "-p", str(self.tcp), "-q", "1", "-t", topic, "-m", payload, *options]
        subprocess.run(command, check=True, timeout=PATIENCE)


class Lines:
    """A program, and what it says line by line."""

    def __init__(self, command, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, **pipes, **options)
        self.lines = queue.Queue()
        self.errors = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def _read_errors(self):
        self.errors.extend(self.process.stderr)

    def next(self, what, is_wanted, patience=PATIENCE):
        end = time.monotonic() + patience
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{what} didn't come; it said {''.join(self.errors[-15:])!r}") from None
            if (found := is_wanted(line)) is not None:
                return found

    def kill(self):
        self.process.kill()
        self.process.wait()


class Watcher(Lines):
    """mosquitto_sub: what another client sees."""

    def __init__(self, house, topic, *options):
        command = ["stdbuf", "-oL", "mosquitto_sub", "-d", "-p", str(house.tcp), "-q", "2", "-t", topic, "-F", "=%t %p", *options]
        super().__init__(command)
        self.next("the subscription", lambda line: True if line.startswith("Subscribed") else None)

    def message(self, patience=PATIENCE):
        return self.next("a message", lambda line: line[1:] if line.startswith("=") else None, patience)


class Client(Lines):
    """An agent: a program around a client library (see agent.py)."""

    def __init__(self, command, given, environment=None):
        super().__init__([*command, json.dumps(given)], env={**os.environ, **(environment or {})})
        self.early = []

    def told(self, what, patience=PATIENCE):
        def is_wanted(line):
            said = json.loads(line)
            if said["is"] == what:
                return said
            if said["is"] == "message":
                self.early.append(said)
            return None

        return self.next(what, is_wanted, patience)

    def message(self, patience=PATIENCE):
        return self.early.pop(0) if self.early else self.told("message", patience)

    def publish(self, topic, payload, qos=1, retain=False):
        self.wish([topic, payload, qos, retain])

    def wish(self, wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()

    def quit(self):
        self.wish("quit")
        self.process.wait(PATIENCE)
