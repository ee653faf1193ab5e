// The stream of events, for one page or for all: opens it, says how it is, and opens it again when it's cut off.
// It's a plain script: the shared worker and a page without one load it alike.
const KINDS = ["message", "publish", "run", "switch", "diagnostics", "missed"];

self.openStream = function openStream(tell) {
  let source = null;
  let wait = 1000;
  let timer = 0;
  let last = "";
  let isClosed = false;

  function open() {
    // What a browser asks again by itself has its `Last-Event-ID`; a stream that ended for good is asked by its address.
    source = new EventSource(last ? `/api/events?last_event_id=${encodeURIComponent(last)}` : "/api/events");
    source.onopen = () => {
      wait = 1000;
      tell({ state: "open" });
    };
    source.onerror = () => {
      tell({ state: "cut" });
      if (source.readyState !== EventSource.CLOSED || isClosed) return;
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 30000);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        tell({ kind, data: event.data });
      });
    }
  }

  open();
  return function close() {
    isClosed = true;
    clearTimeout(timer);
    source?.close();
  };
};
