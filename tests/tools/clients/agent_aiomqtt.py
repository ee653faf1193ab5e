"""An agent on aiomqtt, with the loop for coming back that its documentation shows."""

import asyncio
import ssl
import threading

import aiomqtt

from agent import Agent, settings

given = settings()
agent = Agent()
properties = None
if given["version"] == 5:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 0 if given["clean"] else 3600


def client():
    options = {}
    if given["version"] == 5:
        options = {"clean_start": given["clean"], "properties": properties}
    else:
        options = {"clean_session": given["clean"]}
    if given["will"]:
        options["will"] = aiomqtt.Will(*given["will"], qos=1)
    if given["ca"]:
        options["tls_context"] = ssl.create_default_context(cafile=given["ca"])
    if given["websocket"]:
        options.update(transport="websockets", websocket_path="/mqtt")
    return aiomqtt.Client(
        given["host"],
        given["port"],
        identifier=given["id"],
        protocol=aiomqtt.ProtocolVersion(given["version"]),
        username=given["user"],
        password=given["password"],
        keepalive=20,
        **options,
    )


async def main():
    loop = asyncio.get_running_loop()
    wishes = asyncio.Queue()

    def read():
        for wish in agent.wishes():
            loop.call_soon_threadsafe(wishes.put_nowait, wish)
        loop.call_soon_threadsafe(wishes.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()

    async def publish(connected):
        while (wish := await wishes.get()) is not None:
            topic, payload, qos, retain = wish
            await connected.publish(topic, payload, qos, retain)
            agent.say("published")

    while True:
        try:
            async with client() as connected:
                agent.say("connected", session=None)
                if given["filters"]:
                    await connected.subscribe([(each, 2) for each in given["filters"]])
                agent.say("subscribed")
                publishing = asyncio.create_task(publish(connected))
                listening = asyncio.create_task(listen(connected))
                done, _ = await asyncio.wait([publishing, listening], return_when=asyncio.FIRST_COMPLETED)
                listening.cancel()
                if publishing in done and not publishing.exception():
                    return
                publishing.cancel()
                for task in done:
                    task.result()
        except aiomqtt.MqttError as error:
            agent.say("gone", why=str(error))
            await asyncio.sleep(1)


async def listen(connected):
    async for message in connected.messages:
        agent.heard(message.topic, message.payload, message.qos, message.retain)


asyncio.run(main())
