// What every view needs: times that go on, news, buttons that do something.
import { keepTime } from "./time.js";
import { goLive } from "./live.js";
import { act } from "./act.js";

const THEMES = [["", "Auto"], ["light", "Light"], ["dark", "Dark"]];

function offerThemes() {
  const button = document.getElementById("theme");
  if (!button) return;
  const show = () => {
    const theme = THEMES.find(([name]) => name === (document.documentElement.dataset.theme ?? "")) ?? THEMES[0];
    button.textContent = `Theme: ${theme[1].toLowerCase()}`;
  };
  button.addEventListener("click", () => {
    const index = THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme ?? ""));
    const [name] = THEMES[(index + 1) % THEMES.length];
    if (name) {
      document.documentElement.dataset.theme = name;
      localStorage.setItem("theme", name);
    } else {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("theme");
    }
    show();
  });
  button.hidden = false;
  show();
}

// What only some views need.
const MORE = [
  ["#drawing, [data-key]", "./timeline.js"],
  ["#picture", "./graph.js"],
  ["#trial", "./trial.js"],
];

document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
offerThemes();
keepTime();
act();
goLive();
await Promise.all(MORE.filter(([what]) => document.querySelector(what)).map(([, script]) => import(script)));
// Who drives a browser waits for this: a click before it is lost.
document.documentElement.dataset.ready = "";
