// An agent on MQTT.js, 4 or 5; NODE_PATH says which.
"use strict";

const fs = require("fs");
const readline = require("readline");
const mqtt = require("mqtt");

const given = JSON.parse(process.argv[2]);
const say = (what, more) => process.stdout.write(JSON.stringify({ is: what, ...more }) + "\n");

const scheme = { false: { false: "mqtt", true: "mqtts" }, true: { false: "ws", true: "wss" } };
const path = given.websocket ? "/mqtt" : "";
const options = {
  clientId: given.id,
  clean: given.clean,
  protocolVersion: given.version,
  keepalive: 20,
  reconnectPeriod: 1000,
};
if (given.version === 3) options.protocolId = "MQIsdp";
if (given.version === 5 && !given.clean) options.properties = { sessionExpiryInterval: 3600 };
if (given.user) Object.assign(options, { username: given.user, password: given.password });
if (given.ca) options.ca = fs.readFileSync(given.ca);
if (given.will) options.will = { topic: given.will[0], payload: given.will[1], qos: 1, retain: false };

const url = `${scheme[given.websocket][Boolean(given.ca)]}://${given.host}:${given.port}${path}`;
const client = mqtt.connect(url, options);
client.on("connect", (connack) => {
  say("connected", { session: Boolean(connack.sessionPresent) });
  if (given.filters.length) {
    client.subscribe(given.filters, { qos: 2 }, (error) => say(error ? "refused" : "subscribed", { why: String(error) }));
  }
});
client.on("close", () => say("gone"));
client.on("error", (error) => say("error", { why: String(error) }));
client.on("message", (topic, payload, packet) =>
  say("message", { topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain }),
);
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const wish = JSON.parse(line);
  if (wish === "quit") return client.end(false, () => process.exit(0));
  const [topic, payload, qos, retain] = wish;
  client.publish(topic, payload, { qos, retain }, () => say("published"));
});
