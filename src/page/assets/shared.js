// One stream for all pages of a browser: it may have six connections to a host, and pages shouldn't use them up.
importScripts("/assets/stream.js");

const ports = new Set();
let close = null;
let state = null;

self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data !== "bye") return;
    ports.delete(port);
    if (ports.size === 0) {
      close?.();
      close = null;
      state = null;
    }
  };
  port.start();
  if (state) port.postMessage(state);
  if (!close) {
    close = self.openStream((event) => {
      if (event.state) state = event;
      for (const one of ports) one.postMessage(event);
    });
  }
};
