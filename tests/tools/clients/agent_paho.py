"""An agent on paho-mqtt, 1.6 or 2."""

import ssl
import sys

import paho.mqtt.client as mqtt

from agent import Agent, settings

given = settings()
agent = Agent()


def say_subscribed(*_):
    agent.say("subscribed")


def say_connected(client, _, flags, reason, *_rest):
    if getattr(reason, "is_failure", reason not in (0, None) and not hasattr(reason, "is_failure")):
        agent.say("refused", why=str(reason))
        return
    session = flags["session present"] if isinstance(flags, dict) else flags.session_present
    agent.say("connected", session=bool(session))
    if given["filters"]:
        client.subscribe([(each, 2) for each in given["filters"]])


options = {"client_id": given["id"], "protocol": given["version"], "transport": "websockets" if given["websocket"] else "tcp"}
if given["version"] < 5:
    options["clean_session"] = given["clean"]
if hasattr(mqtt, "CallbackAPIVersion"):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, **options)
else:
    client = mqtt.Client(**options)
client.on_connect = say_connected
client.on_disconnect = lambda *_: agent.say("gone")
client.on_subscribe = say_subscribed
client.on_message = lambda _, __, message: agent.heard(message.topic, message.payload, message.qos, message.retain)
client.on_publish = lambda *_: agent.say("published")
client.reconnect_delay_set(1, 1)
if given["websocket"]:
    client.ws_set_options(path="/mqtt")
if given["ca"]:
    client.tls_set(given["ca"], tls_version=ssl.PROTOCOL_TLS_CLIENT)
if given["user"]:
    client.username_pw_set(given["user"], given["password"])
if given["will"]:
    topic, payload = given["will"]
    client.will_set(topic, payload, 1, False)
if given["version"] == 5:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 0 if given["clean"] else 3600
    client.connect(given["host"], given["port"], 20, clean_start=given["clean"], properties=properties)
else:
    client.connect(given["host"], given["port"], 20)
client.loop_start()
for topic, payload, qos, retain in agent.wishes():
    client.publish(topic, payload, qos, retain)
client.disconnect()
client.loop_stop()
sys.exit(0)
