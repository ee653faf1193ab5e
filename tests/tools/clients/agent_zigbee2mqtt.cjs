// An agent on zigbee2mqtt's own class for MQTT, with its settings and its bus of events; NODE_PATH says where it is.
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");

const given = JSON.parse(process.argv[2]);
const say = (what, more) => process.stdout.write(JSON.stringify({ is: what, ...more }) + "\n");

const data = fs.mkdtempSync(path.join(os.tmpdir(), "zigbee2mqtt-"));
process.env.ZIGBEE2MQTT_DATA = data;
const secured = given.ca ? `  ca: ${given.ca}\n  user: ${given.user}\n  password: ${given.password}\n` : "";
fs.writeFileSync(
  path.join(data, "configuration.yaml"),
  `version: 5\nmqtt:\n  server: ${given.ca ? "mqtts" : "mqtt"}://${given.host}:${given.port}\n  version: ${given.version}\n` +
    `  keepalive: 20\n  base_topic: ${given.base}\n${secured}serial: { port: none, adapter: ember }\nadvanced: { log_output: [] }\n`,
);

const of = (name) => require(`zigbee2mqtt/dist/${name}`).default;
of("util/logger").init();
const Mqtt = of("mqtt");
const EventBus = of("eventBus");
const bus = new EventBus();
const client = new Mqtt(bus);
bus.onMQTTMessage({ constructor: { name: "agent" } }, ({ topic, message }) => say("message", { topic, payload: message }));
client.connect().then(async () => {
  say("connected");
  // What it does after each start: hundreds of retained messages at once.
  const all = [];
  for (let number = 0; number < 300; number++) {
    all.push(client.publish(`light${number}/config`, `{"number":${number}}`, { clientOptions: { retain: true, qos: 1 } }));
  }
  await Promise.all(all);
  say("published");
});
readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const wish = JSON.parse(line);
  if (wish === "quit") {
    await client.disconnect();
    process.exit(0);
  }
  await client.publish(wish[0], wish[1], { clientOptions: { retain: wish[3], qos: wish[2] } });
});
