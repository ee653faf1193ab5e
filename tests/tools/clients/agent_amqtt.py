"""An agent on amqtt."""

import asyncio
import threading

from amqtt.client import MQTTClient
from amqtt.errors import AMQTTError

from agent import Agent, settings

given = settings()
agent = Agent()


def url():
    scheme = {(False, False): "mqtt", (False, True): "mqtts", (True, False): "ws", (True, True): "wss"}
    user = f"{given['user']}:{given['password']}@" if given["user"] else ""
    path = "/mqtt" if given["websocket"] else ""
    return f"{scheme[given['websocket'], bool(given['ca'])]}://{user}{given['host']}:{given['port']}{path}"


async def main():
    loop = asyncio.get_running_loop()
    wishes = asyncio.Queue()

    def read():
        for wish in agent.wishes():
            loop.call_soon_threadsafe(wishes.put_nowait, wish)
        loop.call_soon_threadsafe(wishes.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    config = {"keep_alive": 20, "auto_reconnect": False}
    if given["will"]:
        config["will"] = {"topic": given["will"][0], "message": given["will"][1], "qos": 1, "retain": False}
    while True:
        # Its default client identifier holds a `/`.
        client = MQTTClient(client_id=given["id"], config=config)
        try:
            session = await client.connect(url(), cleansession=given["clean"], cafile=given["ca"])
            agent.say("connected", session=bool(session))
            if given["filters"]:
                await client.subscribe([(each, 2) for each in given["filters"]])
            agent.say("subscribed")
            if await live(client, wishes):
                await client.disconnect()
                return
        except (AMQTTError, ConnectionError, OSError, asyncio.TimeoutError) as error:
            agent.say("gone", why=repr(error))
        await asyncio.sleep(1)


async def live(client, wishes):
    """Returns whether it was asked to end."""
    wish = asyncio.create_task(wishes.get())
    message = asyncio.create_task(client.deliver_message())
    while True:
        done, _ = await asyncio.wait([wish, message], return_when=asyncio.FIRST_COMPLETED)
        if message in done:
            came = message.result()
            if came is None:
                agent.say("gone")
                return False
            agent.heard(came.topic, came.data, came.qos, came.retain)
            message = asyncio.create_task(client.deliver_message())
        if wish in done:
            asked = wish.result()
            if asked is None:
                message.cancel()
                return True
            topic, payload, qos, retain = asked
            await client.publish(topic, payload.encode(), qos, retain)
            agent.say("published")
            wish = asyncio.create_task(wishes.get())


asyncio.run(main())
