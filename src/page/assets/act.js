// Buttons that do something: each says what came of it, and why if nothing did.
import { refresh } from "./live.js";

export function say(text, isWrong) {
  const notes = document.getElementById("notes");
  const note = document.createElement("p");
  note.className = isWrong ? "note wrong" : "note";
  note.textContent = text;
  notes.append(note);
  setTimeout(() => note.remove(), isWrong ? 12000 : 5000);
}

// Asks the daemon; returns the response, or nothing where that was refused, which is told.
export async function ask(address, options = {}) {
  try {
    const response = await fetch(address, options);
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    say(problem.detail ?? `That didn't work: ${response.status} ${response.statusText}`, true);
  } catch {
    say("The daemon doesn't answer.", true);
  }
  return null;
}

function post(address, body) {
  return ask(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });
}

// A payload as somebody types it: JSON is sent as such, anything else as text.
function payloadOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// Buttons whose request is on its way. News may take `disabled` from them, and give them another meaning.
const pressed = new WeakSet();

async function clicked(event) {
  const button = event.target.closest("button[data-post], button[data-clear]");
  if (!button || pressed.has(button)) return;
  const { ask, clear, post: where, body, done = "Cleared." } = button.dataset;
  if (ask && !confirm(ask)) return;
  pressed.add(button);
  button.disabled = true;
  const isDone = clear ? await post("/api/publish", { topic: clear, payload: null, retain: true }) : await post(where, body && JSON.parse(body));
  button.disabled = false;
  pressed.delete(button);
  if (!isDone) return;
  say(done);
  refresh();
}

// What a device or an input is to be. A text stays one, whatever it looks like.
async function set(form) {
  const text = form.elements.value.value;
  const value = form.dataset.text ? text : payloadOf(text);
  if (await post(form.dataset.set, { [form.dataset.key]: value })) {
    say("Set.");
    refresh();
  }
}

async function sent(event) {
  const setting = event.target.closest("form[data-set]");
  if (setting) {
    event.preventDefault();
    await set(setting);
    return;
  }
  const form = event.target.closest("form[data-publish]");
  if (!form) return;
  event.preventDefault();
  const message = { topic: form.dataset.publish, payload: payloadOf(form.elements.payload.value), retain: form.elements.retain.checked };
  if (await post("/api/publish", message)) {
    say("Published.");
    refresh();
  }
}

export function act() {
  document.addEventListener("click", clicked);
  document.addEventListener("submit", sent);
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });
}
