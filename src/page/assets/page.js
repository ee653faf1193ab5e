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

offerThemes();
keepTime();
act();
goLive();
if (document.querySelector("#drawing, [data-key]")) import("./timeline.js");
if (document.getElementById("trial")) import("./trial.js");
