"""A browser, driven over the DevTools protocol, with nothing but Python's standard library."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

PATIENCE = 20.0
"""How long anything may take, in seconds."""


class Failed(Exception):
    """Something that must be so isn't."""


def chromium():
    """Returns the path of a Chromium; None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Browser:
    """A Chromium without a window."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="homerule-page-")
        self.process = subprocess.Popen(
            [
                chromium(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                "--remote-debugging-port=0",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                f"--user-data-dir={self.folder}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = os.path.join(self.folder, "DevToolsActivePort")
        self.port = wait_for("the browser to listen", lambda: port_in(port_file))

    def page(self):
        """Opens a new page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            target = json.load(answer)
        return Page(target["webSocketDebuggerUrl"])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def port_in(path):
    try:
        with open(path, encoding="ascii") as file:
            return int(file.readline())
    except (OSError, ValueError):
        return None


def wait_for(what, is_so, patience=PATIENCE):
    """Returns what `is_so` returns once that is something."""
    end = time.monotonic() + patience
    while True:
        found = is_so()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"{what} didn't happen within {patience:.0f} s")
        time.sleep(0.02)


class Page:
    """One page of the browser."""

    def __init__(self, address):
        self.socket = WebSocket(address)
        self.next = 0
        self.events = []
        self.requests = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        # A page has the focus though another one is in front.
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)

    def ask(self, method, **parameters):
        """Asks the browser something, and returns its answer."""
        self.next += 1
        self.socket.send(json.dumps({"id": self.next, "method": method, "params": parameters}))
        while True:
            told = json.loads(self.socket.receive())
            if told.get("id") == self.next:
                if "error" in told:
                    raise Failed(f"{method}: {told['error']['message']}")
                return told["result"]
            self.events.append(told)

    def open(self, address):
        """Goes to an address, and waits until the page is there with its scripts."""
        # The page that is left may still answer.
        self.run("window.isLeft = true")
        self.ask("Page.navigate", url=address)
        self.until_ready("!window.isLeft")

    def until_ready(self, condition="true"):
        """Waits until a page is there with its scripts, which is later than that it has loaded."""
        self.until("the page to load", f"document.readyState === 'complete' && 'ready' in document.documentElement.dataset && {condition}")

    def follow(self, element):
        """Clicks what a script gives, and waits until the page that this leads to is there with its scripts."""
        self.run(f"window.isLeft = true; {element}.dispatchEvent(new MouseEvent('click', {{ bubbles: true, cancelable: true }}))")
        self.until_ready("!window.isLeft")

    def run(self, script):
        """Returns what a script gives."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(f"{script[:200]}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def until(self, what, condition, patience=PATIENCE):
        """Waits until a condition of the page is true."""

        def is_so():
            try:
                return self.run(f"Boolean({condition})")
            except Failed:
                # The page is on its way to another one.
                return False

        wait_for(what, is_so, patience)

    def text(self, selector="#main"):
        """Returns the text of what a selector finds."""
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        """Clicks what a selector finds."""
        if not self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e?.click(); return Boolean(e); }})()"):
            raise Failed(f"there is no {selector}: {self.text()[:2000]}")

    def key(self, key, code=None, text=None):
        """Presses a key."""
        number = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, " ": 32}.get(key, ord(key[0].upper()))
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        if text:
            common["text"] = text
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=code or key, windowsVirtualKeyCode=number)

    def size(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def colours(self, scheme):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path, most=4000):
        """Writes a picture of the whole page."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        picture = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def complaints(self):
        """Returns what went wrong in the page since this was last asked: errors of scripts, and what its policy refused."""
        self.run("0")
        told, self.events = self.events, []
        found = []
        for event in told:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            if event.get("method") == "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
        return found

    def close(self):
        self.ask("Page.close")
        self.socket.close()


class WebSocket:
    """As much of RFC 6455 as a client on the same machine needs."""

    def __init__(self, address):
        host, path = address.removeprefix("ws://").split("/", 1)
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Failed(f"the browser refuses a WebSocket: {head!r}")

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", 0x81, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, length)
        repeated = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
        self.socket.sendall(head + mask + masked)

    def take(self, count):
        while len(self.rest) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                raise Failed("the browser has gone")
            self.rest += more
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def receive(self):
        message = b""
        while True:
            first, second = self.take(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.take(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.take(8))
            part = self.take(length)
            if first & 0x0F in (0x1, 0x2, 0x0):
                message += part
                if first & 0x80:
                    return message.decode()
            elif first & 0x0F == 0x8:
                raise Failed("the browser closed the page")

    def close(self):
        self.socket.close()
