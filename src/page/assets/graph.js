// The graph: what is joined to the box that one points at, or that has the focus, stands out.
const picture = () => document.getElementById("picture");

function light(box) {
  const all = picture();
  if (!all) return;
  const place = box?.dataset.box;
  all.classList.toggle("is-lit", place !== undefined);
  const near = new Set([place]);
  for (const join of all.querySelectorAll(".join")) {
    const { from, to } = join.dataset;
    const isNear = place !== undefined && (from === place || to === place);
    join.classList.toggle("lit", isNear);
    if (isNear) near.add(from).add(to);
  }
  for (const one of all.querySelectorAll("[data-box]")) one.classList.toggle("lit", near.has(one.dataset.box));
}

const boxOf = (event) => event.target.closest?.("#picture [data-box]");

document.addEventListener("pointerover", (event) => light(boxOf(event)));
document.addEventListener("focusin", (event) => light(boxOf(event)));
