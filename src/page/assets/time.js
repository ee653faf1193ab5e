// Ages and countdowns, in the words of look.rs. The daemon's clock counts, whatever this machine's shows.
const page = document.documentElement;
let ahead = Date.parse(page.dataset.now) - Date.now() || 0;

export function now() {
  return Date.now() + ahead;
}

// Takes the daemon's time from a page that just came.
export function setClock(text) {
  const told = Date.parse(text);
  if (told) ahead = told - Date.now();
}

export function rough(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

export function exact(seconds) {
  const two = (large, unit, small, of) => (small ? `${large} ${unit} ${small} ${of}` : `${large} ${unit}`);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  if (seconds < 86400) return two(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "min");
  return two(Math.floor(seconds / 86400), "d", Math.floor((seconds % 86400) / 3600), "h");
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function tick() {
  const at = now();
  for (const element of document.querySelectorAll("[data-age]")) {
    const age = Math.floor((at - Date.parse(element.dataset.age)) / 1000);
    set(element, age < 2 ? "just now" : `${rough(age)} ago`);
  }
  for (const element of document.querySelectorAll("[data-until]")) {
    const left = Math.floor((Date.parse(element.dataset.until) - at) / 1000);
    set(element, left < 1 ? "due" : `in ${exact(left)}`);
  }
  for (const bar of document.querySelectorAll("[data-until-bar]")) {
    const since = Date.parse(bar.dataset.since);
    const whole = Date.parse(bar.dataset.untilBar) - since;
    const part = whole > 0 ? Math.min(1, Math.max(0, (at - since) / whole)) : 1;
    bar.setAttribute("width", `${(part * 100).toFixed(1)}%`);
  }
}

export function keepTime() {
  tick();
  setInterval(() => {
    if (document.visibilityState === "visible") tick();
  }, 1000);
  document.addEventListener("visibilitychange", tick);
}
