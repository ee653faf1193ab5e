#!/usr/bin/env python3
"""Clients that hold up a broker, at sizes that are too large for the tests: do others notice?

    benches/hostile.py halves [COUNT]     COUNT (1,100) half-open TLS and WebSocket handshakes, while others are served
    benches/hostile.py slow [COUNT]       a reader that takes a few messages a second, of COUNT (100,000) at QoS 1

Starts homerule (target/release/homerule, or $HOMERULE) with a home of its own at free ports, and ends it. Prints for each part how
long a message takes from a client through a rule to another client: the median, the 99th percentile, the longest. `openssl` makes the
certificate. Nothing is needed beyond Python.
"""

import multiprocessing
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMERULE = os.environ.get("HOMERULE", ROOT / "target/release/homerule")
RULES = "rules: { echo: { when: in/x, mode: parallel, max: 1000, then: { to/out: '${payload}' } } }\n"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(first, body):
    length, left = b"", len(body)
    while True:
        low, left = left % 128, left // 128
        length += bytes([low | 0x80 if left else low])
        if not left:
            return bytes([first]) + length + body


class Client:
    """A client of MQTT 3.1.1, as small as it can be."""

    def __init__(self, port, name, wrap=None, buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap:
            self.socket = wrap.wrap_socket(self.socket, server_hostname="localhost")
        self.rest = b""
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(name)))
        first, body = self.next()
        assert (first, body) == (0x20, b"\0\0"), (first, body)

    def next(self):
        """Returns the first byte and the body of the next packet."""
        while True:
            length, shift = 0, 0
            for at, byte in enumerate(self.rest[1:5], 2):
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    if len(self.rest) >= at + length:
                        found = self.rest[0], self.rest[at : at + length]
                        self.rest = self.rest[at + length :]
                        return found
                    break
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.rest += more

    def subscribe(self, topic, qos=0):
        self.socket.sendall(packet(0x82, b"\0\1" + text(topic) + bytes([qos])))
        while self.next()[0] != 0x90:
            pass

    def publish(self, topic, payload, qos=0, number=1):
        number = number.to_bytes(2, "big") if qos else b""
        self.socket.sendall(packet(0x30 | qos << 1, text(topic) + number + payload))

    def message(self):
        """Returns the next message, acknowledged."""
        while True:
            first, body = self.next()
            if first >> 4 == 3:
                behind = 2 + int.from_bytes(body[:2], "big")
                if first & 6:
                    self.socket.sendall(b"\x40\2" + body[behind : behind + 2])
                    behind += 2
                return body[behind:]


class House:
    """A homerule with listeners of each kind."""

    def __init__(self, limits):
        self.folder = tempfile.TemporaryDirectory()
        home = pathlib.Path(self.folder.name)
        (home / "rules").mkdir()
        (home / "rules/all.yaml").write_text(RULES)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-keyout", home / "key.pem", "-out", home / "cert.pem"],
            check=True,
            capture_output=True,
        )
        self.plain, self.tls, self.web, self.http = (free_port() for _ in range(4))
        (home / "homerule.yaml").write_text(
            f"broker:\n  listen:\n    - 127.0.0.1:{self.plain}\n"
            f"    - {{ address: \"127.0.0.1:{self.tls}\", tls: {{ certificate: cert.pem, key: key.pem }} }}\n"
            f"    - {{ address: \"127.0.0.1:{self.web}\", websocket: true }}\n"
            f"  limits: {{ {limits} }}\nweb: {{ listen: \"127.0.0.1:{self.http}\" }}\n"
        )
        self.log = open(home / "log", "w+")
        self.process = subprocess.Popen([HOMERULE, "run", home], stdout=self.log, stderr=self.log)
        end = time.time() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.plain), 1).close()
                break
            except OSError:
                if time.time() > end or self.process.poll() is not None:
                    self.log.seek(0)
                    sys.exit(self.log.read())
                time.sleep(0.05)

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {line.split(":")[0]: int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmRSS")}["VmRSS"]

    def end(self):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


class Probe(threading.Thread):
    """Sends 200 messages a second through a rule to another client, and notes how long each takes."""

    def __init__(self, house):
        super().__init__(daemon=True)
        self.sender, self.listener = Client(house.plain, "probe-sender"), Client(house.plain, "probe-listener")
        self.listener.subscribe("to/out")
        self.taken, self.lock = [], threading.Lock()
        self.start()

    def run(self):
        number = 0
        while True:
            number += 1
            began = time.perf_counter()
            self.sender.publish("in/x", b"%d" % number)
            try:
                assert self.listener.message() == b"%d" % number
            except OSError:
                return
            taken = time.perf_counter() - began
            with self.lock:
                self.taken.append(taken)
            time.sleep(max(0, 0.005 - taken))

    def report(self, what):
        """Prints how long messages took since the last report, and returns the 99th percentile in milliseconds."""
        with self.lock:
            taken, self.taken = sorted(self.taken), []
        if not self.is_alive():
            sys.exit(f"{what}: the probe was cut off")
        part = lambda share: taken[min(len(taken) - 1, int(len(taken) * share))] * 1000
        print(f"{what}: {len(taken)} messages, median {part(0.5):.2f} ms, p99 {part(0.99):.2f} ms, longest {part(1):.2f} ms")
        return part(0.99)


def tls():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def halves(count):
    house = House("connect_timeout: 10m")
    probe = Probe(house)
    time.sleep(5)
    before = probe.report("nobody else")
    began = time.time()
    open_now = []
    hello = bytes.fromhex("16030100c8010000c40303")
    for number in range(count):
        peer = socket.create_connection(("127.0.0.1", house.tls if number % 2 else house.web), 10)
        peer.sendall(hello if number % 2 else b"GET /mqtt HTTP/1.1\r\nHost: local")
        open_now.append(peer)
    print(f"{count} half-open handshakes within {time.time() - began:.1f} s, {house.memory()} MB")
    probe.report("while they came")
    time.sleep(5)
    during = probe.report("while they stay")
    for kind, port, wrap in [("TCP", house.plain, None), ("TLS", house.tls, tls())]:
        began = time.time()
        for number in range(20):
            Client(port, f"new-{kind}-{number}", wrap)
        print(f"20 newcomers over {kind}: let in within {(time.time() - began) * 1000:.0f} ms")
    began = time.time()
    for number in range(20):
        peer = socket.create_connection(("127.0.0.1", house.web), 10)
        peer.sendall(
            b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        answer = peer.recv(12)
        assert answer == b"HTTP/1.1 101", answer
    print(f"20 newcomers over WebSocket: let in within {(time.time() - began) * 1000:.0f} ms")
    # Those who come again and again, as fast as they can.
    stop, rounds = threading.Event(), [0]

    def storm():
        while not stop.is_set():
            try:
                peer = socket.create_connection(("127.0.0.1", house.tls), 10)
                peer.sendall(hello)
                open_now[rounds[0] % count] = peer
                rounds[0] += 1
            except OSError:
                pass

    thread = threading.Thread(target=storm, daemon=True)
    thread.start()
    time.sleep(5)
    stop.set()
    thread.join()
    probe.report(f"while {rounds[0]} more came in 5 s")
    print(f"{house.memory()} MB; p99 {during / before:.2f} times that before")
    house.end()


def load(port, count, ident, rate):
    """Publishes messages of 100 bytes at QoS 1, with at most 100 on their way; notes how many a second were acknowledged."""
    sender = Client(port, ident)
    began, acknowledged = time.time(), 0
    for number in range(count):
        sender.publish("flood/x", b"%099d" % number, 1, number % 65535 + 1)
        if number - acknowledged >= 100:
            while number - acknowledged > 50:
                assert sender.next()[0] == 0x40
                acknowledged += 1
    while acknowledged < count:
        assert sender.next()[0] == 0x40
        acknowledged += 1
    rate.value = int(count / (time.time() - began))


def read(port, ident, pause, ready, came):
    """Takes messages at QoS 1, with a pause behind each, and counts them."""
    client = Client(port, ident, buffer=4096 if pause else None)
    client.subscribe("flood/x", 1)
    ready.set()
    try:
        while True:
            client.message()
            came.value += 1
            time.sleep(pause)
    except OSError:
        pass


def beside(work, *given):
    """Starts work in a process of its own, so that the probe isn't slowed by it."""
    process = multiprocessing.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def reader(house, ident, pause):
    ready, came = multiprocessing.Event(), multiprocessing.Value("q", 0)
    beside(read, house.plain, ident, pause, ready, came)
    ready.wait()
    return came


def slow(count, limits):
    house = House(limits)
    probe = Probe(house)
    time.sleep(5)
    probe.report("nobody else")
    fast, rate = reader(house, "fast", 0), multiprocessing.Value("q", 0)
    beside(load, house.plain, count, "sender-1", rate).join()
    quick = probe.report(f"{count} at QoS 1, {rate.value} a second, all readers fast")
    slowly = reader(house, "slow", 0.02)
    beside(load, house.plain, count, "sender-2", rate).join()
    held = probe.report(f"{count} at QoS 1, {rate.value} a second, one reader slow")
    print(f"the slow one took {slowly.value}, the fast one {fast.value}; {house.memory()} MB; p99 {held / quick:.2f} times that with fast readers")
    time.sleep(5)
    probe.report("while the rest waits for it")
    house.end()


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    count = int(sys.argv[2].replace(",", "")) if len(sys.argv) > 2 else None
    if what == "halves":
        halves(count or 1100)
    elif what == "slow":
        for limits in ["queued_messages: 200000, queued_bytes: 100MiB", "queued_messages: 1000"]:
            print(f"with `limits: {{ {limits} }}`")
            slow(count or 100_000, limits)
    else:
        sys.exit(__doc__)
