"""An agent on gmqtt."""

import asyncio
import ssl
import threading

import gmqtt
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

from agent import Agent, settings

given = settings()
agent = Agent()


async def main():
    loop = asyncio.get_running_loop()
    wishes = asyncio.Queue()

    def read():
        for wish in agent.wishes():
            loop.call_soon_threadsafe(wishes.put_nowait, wish)
        loop.call_soon_threadsafe(wishes.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    options = {"session_expiry_interval": 3600} if given["version"] == 5 and not given["clean"] else {}
    if given["will"]:
        options["will_message"] = gmqtt.Message(given["will"][0], given["will"][1], qos=1)
    client = gmqtt.Client(given["id"], clean_session=given["clean"], **options)
    client.set_config({"reconnect_retries": -1, "reconnect_delay": 1})
    if given["user"]:
        client.set_auth_credentials(given["user"], given["password"])

    def connected(client, flags, rc, properties):
        agent.say("connected", session=bool(flags & 1))
        if given["filters"]:
            client.subscribe([gmqtt.Subscription(each, qos=2) for each in given["filters"]])

    async def heard(client, topic, payload, qos, properties):
        agent.heard(topic, payload, qos, properties.get("retain", False))
        return 0

    client.on_connect = connected
    client.on_disconnect = lambda *_, **__: agent.say("gone")
    client.on_subscribe = lambda *_, **__: agent.say("subscribed")
    client.on_message = heard
    secured = ssl.create_default_context(cafile=given["ca"]) if given["ca"] else False
    version = MQTTv50 if given["version"] == 5 else MQTTv311
    await client.connect(given["host"], given["port"], ssl=secured, version=version, keepalive=20)
    while (wish := await wishes.get()) is not None:
        topic, payload, qos, retain = wish
        client.publish(topic, payload, qos=qos, retain=retain)
    await client.disconnect()


asyncio.run(main())
