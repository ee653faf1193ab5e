// Makes one tree like another with as few changes as it takes: what has the focus keeps it, what is open stays open, and
// nothing jumps.
const KEPT = new Set(["open"]);

function keyOf(node) {
  return node.nodeType === 1 ? node.id : "";
}

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function attributes(to, from) {
  for (const { name, value } of from.attributes) {
    if (!KEPT.has(name) && to.getAttribute(name) !== value) to.setAttribute(name, value);
  }
  for (const { name } of [...to.attributes]) {
    if (!KEPT.has(name) && !from.hasAttribute(name)) to.removeAttribute(name);
  }
}

export function morph(to, from) {
  if (to.nodeType !== 1) {
    if (to.nodeValue !== from.nodeValue) to.nodeValue = from.nodeValue;
    return;
  }
  if (to.isEqualNode(from)) return;
  attributes(to, from);
  // What somebody has typed stays.
  if (to.nodeName === "INPUT" || to.nodeName === "TEXTAREA" || to.nodeName === "SELECT" || to.id === "difference") return;
  children(to, from);
}

function children(to, from) {
  const known = new Map();
  for (const child of to.children) if (child.id) known.set(child.id, child);
  let next = to.firstChild;
  for (const wanted of [...from.childNodes]) {
    const named = keyOf(wanted) && known.get(keyOf(wanted));
    let found = named && alike(named, wanted) ? named : null;
    if (!found && next && alike(next, wanted)) found = next;
    if (found) {
      if (found === next) next = next.nextSibling;
      else to.insertBefore(found, next);
      morph(found, wanted);
    } else {
      to.insertBefore(document.importNode(wanted, true), next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}
