"use strict";
// Mouse, fingers and keys on the heat map.
DAMON.input = () => {
  const { heat } = DAMON, { canvas, state } = heat;

  const at = (event) => {
    const frame = canvas.getBoundingClientRect(), box = heat.box(), view = DAMON.view;
    const x = Math.min(Math.max(event.clientX - frame.left, box.left), box.left + box.width);
    const y = Math.min(Math.max(event.clientY - frame.top, box.top), box.top + box.height);
    return { x, y, seconds: view.t0 + (x - box.left) / box.width * (view.t1 - view.t0),
             place: view.a0 + (box.top + box.height - y) / box.height * (view.a1 - view.a0) };
  };

  const centre = () => state.cross || { seconds: (DAMON.view.t0 + DAMON.view.t1) / 2, place: (DAMON.view.a0 + DAMON.view.a1) / 2 };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const spot = at(event);
    heat.setCross(spot.seconds, spot.place);
    if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
    state.drag = { kind: event.shiftKey ? "move" : event.pointerType === "touch" ? "tap" : "zoom",
                   x0: spot.x, y0: spot.y, x1: spot.x, y1: spot.y, from: spot, view: DAMON.view };
  });

  canvas.addEventListener("pointermove", (event) => {
    const spot = at(event), drag = state.drag;
    if (drag && drag.kind === "move") {
      const box = heat.box(), view = drag.view;
      const right = (spot.x - drag.x0) / box.width * (view.t1 - view.t0), up = (drag.y0 - spot.y) / box.height * (view.a1 - view.a0);
      heat.show({ t0: view.t0 - right, t1: view.t1 - right, a0: view.a0 - up, a1: view.a1 - up });
      return;
    }
    if (drag) Object.assign(drag, { x1: spot.x, y1: spot.y });
    heat.setCross(spot.seconds, spot.place);
  });

  const finish = (event) => {
    const drag = state.drag;
    state.drag = null;
    if (!drag || event.type === "pointercancel") { heat.draw(); return; }
    const wide = Math.abs(drag.x1 - drag.x0), tall = Math.abs(drag.y1 - drag.y0);
    if (drag.kind === "zoom" && (wide > 8 || tall > 8)) {
      const to = at(event), view = DAMON.view;  // a drag along one axis zooms that axis alone
      const times = wide > 8 ? [drag.from.seconds, to.seconds] : [view.t0, view.t1];
      const places = tall > 8 ? [drag.from.place, to.place] : [view.a0, view.a1];
      heat.show({ t0: Math.min(...times), t1: Math.max(...times), a0: Math.min(...places), a1: Math.max(...places) });
    } else if (drag.kind !== "move") {
      const column = DAMON.columnAt(drag.from.seconds);
      if (column >= 0) DAMON.choose(column);
    }
    heat.draw();
  };
  canvas.addEventListener("pointerup", finish);
  canvas.addEventListener("pointercancel", finish);
  canvas.addEventListener("dblclick", () => heat.show(heat.whole()));
  canvas.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && heat.isWhole()) return;  // the page scrolls on
    event.preventDefault();
    const spot = at(event);
    heat.zoom(Math.exp(-event.deltaY * 0.0015), spot.seconds, spot.place);
    heat.setCross(spot.seconds, spot.place);
  }, { passive: false });

  canvas.addEventListener("keydown", (event) => {
    const view = DAMON.view, spot = centre();
    const right = (view.t1 - view.t0) / 60, up = (view.a1 - view.a0) / 40;
    const moves = { ArrowLeft: [-right, 0], ArrowRight: [right, 0], ArrowUp: [0, up], ArrowDown: [0, -up] };
    if (moves[event.key]) heat.setCross(spot.seconds + moves[event.key][0], spot.place + moves[event.key][1]);
    else if (event.key === "+" || event.key === "=") heat.zoom(1.5, spot.seconds, spot.place);
    else if (event.key === "-") heat.zoom(1 / 1.5, spot.seconds, spot.place);
    else if (event.key === "0") heat.show(heat.whole());
    else if (event.key === "Enter" && DAMON.columnAt(spot.seconds) >= 0) DAMON.choose(DAMON.columnAt(spot.seconds));
    else return;
    event.preventDefault();
  });

  DAMON.byId("tools").addEventListener("click", (event) => {
    const kind = event.target.dataset.zoom, spot = centre();
    if (kind === "reset") heat.show(heat.whole());
    else if (kind) heat.zoom(kind === "in" ? 2 : 0.5, spot.seconds, spot.place);
  });
};
