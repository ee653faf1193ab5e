"""What all agents in Python share: what they are told, as JSON lines, and what they tell.

An agent is a program around one client library. Its argument says where it connects and how; each line that it reads is a message to
publish, `[topic, payload, qos, retain]`; and it tells what happens to it. It comes back by itself when its connection breaks.
"""

import json
import sys
import threading


def settings():
    return json.loads(sys.argv[1])


class Agent:
    def __init__(self):
        self.lock = threading.Lock()

    def say(self, what, **more):
        with self.lock:
            print(json.dumps({"is": what, **more}), flush=True)

    def heard(self, topic, payload, qos, retain):
        if isinstance(payload, (bytes, bytearray)):
            payload = bytes(payload).decode()
        self.say("message", topic=str(topic), payload=payload, qos=int(qos), retain=bool(retain))

    def wishes(self):
        for line in sys.stdin:
            wish = json.loads(line)
            if wish == "quit":
                return
            yield wish
