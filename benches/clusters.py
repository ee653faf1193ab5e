#!/usr/bin/env python3
"""A homerule at a cluster of brokers, of which one node is killed under load: is anything acknowledged lost?

    benches/clusters.py nats                    three nats-server with JetStream (Debian: nats-server)
    benches/clusters.py rmqttd PATH             three rmqttd with rmqtt-cluster-raft (cargo install rmqttd)
    benches/clusters.py rabbitmq                three RabbitMQ with rabbitmq_mqtt and quorum queues (Debian: rabbitmq-server)
    benches/clusters.py nodes HOST:PORT...      nodes that run already; whoever runs them kills one when asked

homerule (target/release/homerule, or $HOMERULE) is at the first node and answers each `in/n` with `out/n`. A device with a persistent
session is at the second; that one is killed in the middle, and the device goes to the third.

Needs Python's paho-mqtt 2. Prints what was acknowledged, what came, what is missing, what came twice, and how long nothing came.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as mqtt

COUNT = int(os.environ.get("COUNT", 3000))
ROOT = pathlib.Path(__file__).resolve().parent.parent
HOMERULE = os.environ.get("HOMERULE", ROOT / "target/release/homerule")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port, patience=60):
    end = time.time() + patience
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing listens at {port}")


def start(command, log, env=None):
    """Starts a program as the head of a group of its own, with which it ends."""
    return subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def nats(folder):
    """Starts three nats-server; returns their processes and MQTT ports."""
    ports = [free_port() for _ in range(3)]
    routes = [free_port() for _ in range(3)]
    urls = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
    nodes = []
    for number in range(3):
        path = folder / f"nats-{number}.conf"
        path.write_text(
            f"server_name: n{number}\nlisten: 127.0.0.1:{free_port()}\n"
            f"jetstream {{ store_dir: {folder}/js{number} }}\n"
            f"mqtt {{ listen: 127.0.0.1:{ports[number]}, stream_replicas: 3 }}\n"
            f"cluster {{ name: home, listen: 127.0.0.1:{routes[number]}, routes: [{urls}] }}\n"
        )
        log = open(folder / f"nats-{number}.log", "w")
        nodes.append(start(["nats-server", "-c", path], log))
    return nodes, ports


def rmqttd(folder, program):
    """Starts three rmqttd that agree by Raft; returns their processes and MQTT ports."""
    ports, grpc, raft = ([free_port() for _ in range(3)] for _ in range(3))
    quoted = lambda numbers: ", ".join(f'"{number + 1}@127.0.0.1:{port}"' for number, port in enumerate(numbers))
    nodes = []
    for number in range(3):
        place = folder / f"r{number}"
        (place / "plugins").mkdir(parents=True)
        (place / "rmqtt.toml").write_text(
            f'[node]\nid = {number + 1}\n[plugins]\ndir = "{place}/plugins"\n'
            'default_startups = ["rmqtt-cluster-raft", "rmqtt-retainer", "rmqtt-message-storage"]\n[log]\nto = "console"\nlevel = "warn"\n'
            f'[rpc]\nserver_addr = "127.0.0.1:{grpc[number]}"\n'
            f'[listener.tcp.external]\naddr = "127.0.0.1:{ports[number]}"\nallow_anonymous = true\n'
        )
        (place / "plugins/rmqtt-http-api.toml").write_text(f'http_laddr = "127.0.0.1:{free_port()}"\n')
        (place / "plugins/rmqtt-cluster-raft.toml").write_text(
            f"node_grpc_addrs = [{quoted(grpc)}]\nraft_peer_addrs = [{quoted(raft)}]\n"
        )
        log = open(place / "log", "w")
        nodes.append(start([program, "-f", place / "rmqtt.toml"], log))
    return nodes, ports


def rabbitmq(folder):
    """Starts three RabbitMQ whose MQTT sessions are quorum queues; returns their processes, their MQTT ports, and the daemon of names."""
    ports, amqp, between = ([free_port() for _ in range(3)] for _ in range(3))
    names = [f"rabbit{number}@localhost" for number in range(3)]
    environment = dict(os.environ, HOME=str(folder), ERL_EPMD_PORT=str(free_port()), ERL_EPMD_ADDRESS="127.0.0.1")
    cookie = folder / ".erlang.cookie"
    cookie.write_text("clusters")
    cookie.chmod(0o400)
    names_daemon = start([next(pathlib.Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))], subprocess.DEVNULL, environment)
    nodes = []
    for number in range(3):
        place = folder / f"q{number}"
        place.mkdir()
        (place / "enabled_plugins").write_text("[rabbitmq_mqtt].")
        peers = "".join(f"cluster_formation.classic_config.nodes.{peer + 1} = {name}\n" for peer, name in enumerate(names))
        (place / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{amqp[number]}\nmqtt.listeners.tcp.1 = 127.0.0.1:{ports[number]}\n"
            f"mqtt.durable_queue_type = quorum\nmqtt.prefetch = 100\n"
            f"cluster_formation.peer_discovery_backend = classic_config\n{peers}"
        )
        node = dict(
            environment, RABBITMQ_NODENAME=names[number], RABBITMQ_NODE_PORT=str(amqp[number]), RABBITMQ_DIST_PORT=str(between[number]),
            RABBITMQ_MNESIA_BASE=str(place), RABBITMQ_LOG_BASE=str(place), RABBITMQ_CONFIG_FILE=str(place / "rabbitmq.conf"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(place / "enabled_plugins"), RABBITMQ_CONF_ENV_FILE=str(place / "none"),
        )
        log = open(place / "log", "w")
        nodes.append(start(["/usr/lib/rabbitmq/bin/rabbitmq-server"], log, node))
    return nodes, ports, names_daemon


def home(folder, port):
    """Starts a homerule at the node on `port`."""
    place = folder / "home"
    (place / "rules").mkdir(parents=True)
    (place / "homerule.yaml").write_text(f"broker: {{ url: mqtt://127.0.0.1:{port} }}\nweb: {{ listen: 127.0.0.1:{free_port()} }}\n")
    (place / "rules/pass.yaml").write_text(
        'rules: { pass: { when: in/n, mode: queued, max: 10000, then: { out/n: "${payload}" } } }\n'
    )
    return start([HOMERULE, "run", place, "--quiet"], open(folder / "home.log", "w"))


class Device:
    """Publishes numbers and counts what comes of them."""

    def __init__(self, ports):
        self.ports = ports
        self.at = 1
        self.acknowledged, self.ids, self.came, self.gaps = set(), {}, [], []
        self.last = None
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "device", clean_session=False)
        self.client.max_inflight_messages_set(100)
        self.client.reconnect_delay_set(1, 2)
        self.client.on_publish = lambda client, data, mid, code, properties: self.acknowledged.add(self.ids.get(mid))
        self.client.on_message = self.heard
        self.client.on_connect = lambda client, *_: client.subscribe("out/n", 1)
        self.client.connect("127.0.0.1", ports[self.at])
        self.client.loop_start()

    def heard(self, client, data, message):
        now = time.time()
        if self.last is not None:
            self.gaps.append(now - self.last)
        self.last = now
        self.came.append(int(message.payload))

    def move(self):
        self.at = 2
        self.client._port = self.ports[2]

    def publish(self, number):
        self.ids[self.client.publish("in/n", str(number), 1).mid] = number


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "nats"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="clusters-"))
    nodes, besides = [], []
    if kind == "nats":
        nodes, ports = nats(folder)
    elif kind == "rabbitmq":
        nodes, ports, names_daemon = rabbitmq(folder)
        besides = [names_daemon]
    elif kind == "rmqttd":
        nodes, ports = rmqttd(folder, sys.argv[2])
    else:
        ports = [int(address.rsplit(":", 1)[1]) for address in sys.argv[2:5]]
    running = nodes + besides
    try:
        for port in ports:
            listens(port)
        time.sleep(10)  # until the nodes agree on who leads
        running.append(home(folder, ports[0]))
        time.sleep(5)
        device = Device(ports)
        time.sleep(3)
        for number in range(COUNT):
            device.publish(number)
            time.sleep(0.002)
            if number == COUNT // 2:
                if nodes:
                    kill(nodes[1])
                    running.remove(nodes[1])
                else:
                    input(f"kill the node at {ports[1]}, then press Enter ")
                device.move()
        end = time.time() + 60
        while time.time() < end and len(set(device.came)) < COUNT:
            time.sleep(0.1)
        came, acknowledged = set(device.came), device.acknowledged - {None}
        print(f"published {COUNT}, acknowledged {len(acknowledged)}, came {len(came)}")
        print(f"acknowledged and missing: {len(acknowledged - came)}; came twice: {len(device.came) - len(came)}")
        order = [number for place, number in enumerate(device.came) if number not in device.came[:place]] if COUNT <= 5000 else []
        print(f"in order: {order == sorted(order)}; longest silence {max(device.gaps, default=0):.1f} s")
    finally:
        for process in running:
            kill(process)
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
