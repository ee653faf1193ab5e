// The timeline by pointer and keys: drag moves it, the wheel and + and - zoom, the arrows step, a click beside a run asks
// why the rule didn't run then.
import { refresh } from "./live.js";

const LEAST = 1000;
let pulled = null;
let timer = 0;

const drawing = () => document.getElementById("drawing");

// Only the view Timeline moves; elsewhere a click asks about a moment.
const moves = () => document.querySelector("[data-key]") !== null;

function range() {
  const { from, to } = drawing().dataset;
  return [Date.parse(from), Date.parse(to)];
}

function goTo(from, to) {
  const address = new URL(location.href);
  address.searchParams.delete("last");
  address.searchParams.set("from", new Date(from).toISOString());
  address.searchParams.set("to", new Date(to).toISOString());
  history.replaceState(null, "", address);
  clearTimeout(timer);
  timer = setTimeout(refresh, 120);
}

function partOf(event) {
  const box = drawing().getBoundingClientRect();
  return (event.clientX - box.left) / box.width;
}

document.addEventListener(
  "wheel",
  (event) => {
    if (!moves() || !event.target.closest?.("#drawing") || !(event.ctrlKey || event.shiftKey || event.altKey)) return;
    event.preventDefault();
    const [from, to] = range();
    const factor = Math.exp(Math.sign(event.deltaY || event.deltaX) * 0.25);
    const length = Math.max(LEAST, (to - from) * factor);
    const at = from + (to - from) * partOf(event);
    goTo(at - length * partOf(event), at + length * (1 - partOf(event)));
  },
  { passive: false },
);

document.addEventListener("pointerdown", (event) => {
  if (!moves() || !event.target.closest?.("#drawing") || event.button !== 0) return;
  pulled = { x: event.clientX, range: range(), isMoved: false };
});

document.addEventListener("pointermove", (event) => {
  if (!pulled) return;
  const moved = (event.clientX - pulled.x) / drawing().getBoundingClientRect().width;
  if (Math.abs(event.clientX - pulled.x) < 6 && !pulled.isMoved) return;
  pulled.isMoved = true;
  const [from, to] = pulled.range;
  const by = -moved * (to - from);
  goTo(from + by, to + by);
});

document.addEventListener("pointerup", () => {
  setTimeout(() => (pulled = null));
});

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#drawing")) return;
  if (pulled?.isMoved) return event.preventDefault();
  if (event.target.closest("a")) return;
  const lane = event.target.closest(".lane[data-rule]");
  if (!lane) return;
  const [from, to] = range();
  const at = new Date(from + (to - from) * partOf(event));
  location.href = `${lane.dataset.rule}?at=${encodeURIComponent(at.toISOString())}`;
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, textarea, select") || event.metaKey || event.ctrlKey || event.altKey) return;
  const way = [...document.querySelectorAll("[data-key]")].find((link) => link.dataset.key === event.key);
  if (!way) return;
  event.preventDefault();
  way.click();
});
