// News: when something happens that this view shows, it's fetched again and what differs is put in place.
import { morph } from "./morph.js";
import { setClock, tick } from "./time.js";

const PAUSE = 700; // between two looks, in milliseconds
const SHARE = 12; // a look that takes long is followed by a pause that's so much longer
let timer = 0;
let nextLook = 0;
let isBusy = false;
let isWanted = false;
let cutSince = null;
let leave = null;
let isHeard = false;

function main() {
  return document.getElementById("main");
}

// What happened just now stays as it is while somebody points at it, or has marked some of it: it would move away.
function hold(wanted) {
  const recent = document.getElementById("recent");
  const list = recent?.querySelector(".rows");
  const isHeld = Boolean(list?.matches(":hover") || (getSelection()?.toString() && list?.contains(getSelection().anchorNode)));
  recent?.classList.toggle("held", isHeld);
  if (isHeld) wanted.querySelector("#recent")?.replaceWith(recent.cloneNode(true));
}

function show(state) {
  const link = document.getElementById("link");
  const banner = document.getElementById("cut");
  if (link) {
    link.dataset.state = state;
    link.querySelector(".words").textContent = state === "open" ? "live" : "cut off";
  }
  if (state === "open") {
    // What happened between the making of the page and now, nobody has told it.
    if (main().dataset.live && (cutSince || !isHeard)) refresh();
    isHeard = true;
    cutSince = null;
    banner.hidden = true;
  } else if (!cutSince) {
    cutSince = new Date();
    // A blink is no news.
    setTimeout(() => {
      if (!cutSince) return;
      banner.textContent = `The daemon doesn't answer. What's below is how things were at ${document.documentElement.dataset.shown}; this page comes back by itself.`;
      banner.hidden = false;
    }, 1200);
  }
}

export async function refresh() {
  if (isBusy) {
    isWanted = true;
    return;
  }
  isBusy = true;
  const begun = Date.now();
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
    if (response.status === 401) return location.reload();
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const wanted = fresh.getElementById("main");
    if (!wanted) return;
    const before = document.querySelector("[data-say]")?.dataset.say;
    hold(wanted);
    setClock(fresh.documentElement.dataset.now);
    morph(main(), wanted);
    document.documentElement.dataset.shown = fresh.documentElement.dataset.shown;
    document.title = fresh.title;
    tick();
    const after = document.querySelector("[data-say]")?.dataset.say;
    if (after && after !== before) document.getElementById("said").textContent = after;
    document.dispatchEvent(new CustomEvent("refreshed"));
  } catch {
    // The stream tells when the daemon is back.
  } finally {
    isBusy = false;
    nextLook = Date.now() + Math.max(PAUSE, (Date.now() - begun) * SHARE);
    if (isWanted) {
      isWanted = false;
      schedule();
    }
  }
}

function schedule() {
  if (timer || document.visibilityState !== "visible") {
    isWanted ||= document.visibilityState !== "visible";
    return;
  }
  timer = setTimeout(() => {
    timer = 0;
    refresh();
  }, Math.max(0, nextLook - Date.now()));
}

// Whether an event changes what this view shows.
function concerns({ kind, data }) {
  const { live, topic } = main().dataset;
  if (kind === "missed") return true;
  if (!(live ?? "").split(" ").includes(kind)) return false;
  return !topic || JSON.parse(data).topic === topic;
}

function hear(event) {
  if (event.state) show(event.state);
  else if (concerns(event)) schedule();
}

function alone() {
  const script = document.createElement("script");
  script.src = "/assets/stream.js";
  script.onload = () => {
    leave = self.openStream(hear);
  };
  document.head.append(script);
}

function connect() {
  if (leave) return;
  if (!("SharedWorker" in self)) return alone();
  const worker = new SharedWorker("/assets/shared.js");
  worker.onerror = () => alone();
  worker.port.onmessage = ({ data }) => hear(data);
  worker.port.start();
  leave = () => {
    worker.port.postMessage("bye");
    worker.port.close();
  };
}

export function goLive() {
  if (!main()?.hasAttribute("data-live")) return;
  connect();
  addEventListener("pagehide", () => {
    leave?.();
    leave = null;
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      connect();
      refresh();
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && isWanted) {
      isWanted = false;
      schedule();
    }
  });
}
