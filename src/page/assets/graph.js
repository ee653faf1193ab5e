// The graph: what is joined to the boxes that one points at, or that have the focus, stands out.
function light() {
  const all = document.getElementById("picture");
  if (!all) return;
  const boxes = [...all.querySelectorAll("[data-box]")];
  const chosen = new Set(boxes.filter((box) => box.matches(":hover, :focus")).map((box) => box.dataset.box));
  all.classList.toggle("is-lit", chosen.size > 0);
  const near = new Set(chosen);
  for (const join of all.querySelectorAll(".join")) {
    const { from, to } = join.dataset;
    const isNear = chosen.has(from) || chosen.has(to);
    join.classList.toggle("lit", isNear);
    if (isNear) near.add(from).add(to);
  }
  for (const box of boxes) box.classList.toggle("lit", near.has(box.dataset.box));
}

// News puts the picture back as the daemon made it, in which nothing stands out.
for (const what of ["pointerover", "focusin", "focusout", "refreshed"]) document.addEventListener(what, light);
