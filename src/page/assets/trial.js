// The text of a file: numbered, checked while it's typed, marked where something is wrong, tried, and saved where that's
// allowed.
import { ask, say } from "./act.js";

const form = document.getElementById("trial");
const text = document.getElementById("text");
const gutter = form.querySelector(".gutter");
const found = document.getElementById("found");
const { file, line } = form.dataset;
const HTML = { "content-type": "application/json", accept: "text/html" };
let timer = 0;
let asked = null;

function number() {
  const marks = new Map();
  for (const one of found.querySelectorAll("[data-at]")) {
    const at = Number(one.dataset.at.split(":")[0]);
    if (marks.get(at) !== "error") marks.set(at, one.dataset.severity);
  }
  const count = text.value.split("\n").length;
  gutter.replaceChildren(
    ...Array.from({ length: count }, (_, index) => {
      const row = document.createElement("span");
      row.textContent = `${index + 1}\n`;
      if (marks.has(index + 1)) row.className = marks.get(index + 1);
      return row;
    }),
  );
  text.rows = Math.min(40, Math.max(12, count + 1));
  gutter.scrollTop = text.scrollTop;
}

function goTo(row, column) {
  const lines = text.value.split("\n");
  const before = lines.slice(0, row - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const at = before + [...(lines[row - 1] ?? "")].slice(0, column - 1).join("").length;
  text.focus();
  text.setSelectionRange(at, at);
  const height = parseFloat(getComputedStyle(text).lineHeight) || 20;
  text.scrollTop = Math.max(0, (row - 5) * height);
}

async function check() {
  const body = JSON.stringify({ file, text: text.value });
  const response = await ask("/api/check", { method: "POST", headers: HTML, body });
  if (!response) return;
  found.innerHTML = await response.text();
  number();
}

text.addEventListener("input", () => {
  number();
  clearTimeout(timer);
  timer = setTimeout(check, 400);
});
text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  asked?.abort();
  asked = new AbortController();
  const result = document.getElementById("difference");
  result.innerHTML = "<p class='card calm'>Replaying…</p>";
  form.setAttribute("aria-busy", "true");
  try {
    const body = JSON.stringify({ file, text: text.value, since: form.elements.since.value });
    const response = await fetch("/api/try", { method: "POST", headers: HTML, body, signal: asked.signal });
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      const answer = await response.text();
      if (response.status === 422) {
        found.innerHTML = answer;
        number();
        result.innerHTML = "<p class='card problem'>It doesn't load: see above.</p>";
      } else {
        result.innerHTML = answer;
      }
    } else {
      result.replaceChildren();
      const problem = await response.json();
      say(problem.detail ?? response.statusText, true);
    }
  } catch (error) {
    if (error.name !== "AbortError") say("The daemon doesn't answer.", true);
  } finally {
    form.removeAttribute("aria-busy");
  }
});

form.addEventListener("click", async (event) => {
  const place = event.target.closest("[data-goto]");
  if (place) {
    const [row, column] = place.dataset.goto.split(":").map(Number);
    goTo(row, column);
  }
  if (event.target.closest("[data-save]")) {
    const path = file.split("/").map(encodeURIComponent).join("/");
    const headers = { "content-type": "text/plain; charset=utf-8", "if-match": form.dataset.tag };
    const response = await ask(`/api/files/${path}`, { method: "PUT", headers, body: text.value });
    if (!response) return;
    form.dataset.tag = response.headers.get("etag") ?? "";
    say("Saved. It's in force within a second.");
  }
});

number();
if (line) goTo(Number(line), 1);
