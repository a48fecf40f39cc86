"use strict";
// The heat map. DAMON.view is the part that is shown: [t0, t1] in seconds, [a0, a1] in places on the axis of addresses.
DAMON.heat = (() => {
  const canvas = DAMON.byId("heat");
  const state = { cross: null, drag: null, picture: null, key: "" };
  let box = { left: 0, top: 0, width: 0, height: 0, ratio: 1 };

  const whole = () => ({ t0: 0, t1: DAMON.seconds, a0: 0, a1: DAMON.total });
  const isWhole = () => {
    const all = whole(), view = DAMON.view;
    return view.t0 <= all.t0 && view.t1 >= all.t1 && view.a0 <= all.a0 && view.a1 >= all.a1;
  };

  const layout = () => {
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const left = width < 600 ? 72 : 118, right = width < 900 || DAMON.mappings.length === 0 ? 6 : 170;
    box = { left, top: 6, width: Math.max(width - left - right, 40), height: height - 30, ratio, right };
    state.key = "";
    draw();
  };

  const ramp = () => {
    const stops = [0, 1, 2, 3, 4].map((at) => DAMON.colour(`--ramp-${at}`))
      .map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
    return Array.from({ length: 256 }, (_, at) => {
      const where = at / 255 * 4, low = Math.min(Math.floor(where), 3);
      return stops[low].map((value, channel) => Math.round(value + (stops[low + 1][channel] - value) * (where - low)));
    });
  };

  // Shares of one column, from the lowest row to the highest: -1 not watched, -2 not visible; the hottest wins.
  const fillRows = (rows, column) => {
    const { a0, a1 } = DAMON.view, scale = rows.length / (a1 - a0);
    const last = DAMON.first[column + 1];
    let at = Math.max(DAMON.regionAt(column, a0), DAMON.first[column]);
    for (; at < last && DAMON.start[at] < a1; at += 1) {
      const end = DAMON.start[at] + DAMON.size[at];
      if (end <= a0) continue;
      const low = Math.max(Math.round((DAMON.start[at] - a0) * scale), 0);
      const high = Math.min(Math.max(Math.round((end - a0) * scale), low + 1), rows.length);
      const value = DAMON.share[at] === DAMON.UNKNOWN ? -2 : DAMON.share[at];
      for (let row = low; row < high; row += 1) {
        if (rows[row] === -1 || value > rows[row]) rows[row] = value;
      }
    }
  };

  const paintColumn = (pixels, width, x, rows, colours, hatch) => {
    const height = rows.length;
    for (let row = 0; row < height; row += 1) {
      if (rows[row] === -1) continue;
      const y = height - 1 - row, at = 4 * (y * width + x);
      const colour = rows[row] === -2 ? hatch[((x + y) >> 2) & 1] : colours[Math.round(rows[row] / 10000 * 255)];
      pixels[at] = colour[0]; pixels[at + 1] = colour[1]; pixels[at + 2] = colour[2]; pixels[at + 3] = 255;
    }
  };

  const parse = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));

  const picture = () => {
    const width = Math.round(box.width * box.ratio), height = Math.round(box.height * box.ratio), view = DAMON.view;
    const key = [width, height, view.t0, view.t1, view.a0, view.a1, document.documentElement.dataset.theme].join();
    if (key === state.key) return state.picture;
    const made = document.createElement("canvas");
    made.width = width; made.height = height;
    const context = made.getContext("2d"), image = context.createImageData(width, height);
    const colours = ramp(), hatch = [parse(DAMON.colour("--hatch-a")), parse(DAMON.colour("--hatch-b"))];
    const rows = new Float32Array(height), { begin } = DAMON.columns;
    let before = "";
    for (let x = 0; x < width; x += 1) {
      const from = view.t0 + (view.t1 - view.t0) * x / width, to = view.t0 + (view.t1 - view.t0) * (x + 1) / width;
      let first = DAMON.columnAt((from + to) / 2), last = first;
      while (last >= 0 && last + 1 < begin.length && begin[last + 1] < to - (to - from) * 0.01) last += 1;
      if (`${first},${last}` !== before) {
        rows.fill(-1);
        for (let column = first; first >= 0 && column <= last; column += 1) fillRows(rows, column);
        before = `${first},${last}`;
      }
      paintColumn(image.data, width, x, rows, colours, hatch);
    }
    context.putImageData(image, 0, 0);
    Object.assign(state, { picture: made, key });
    return made;
  };

  const toX = (seconds) => box.left + (seconds - DAMON.view.t0) / (DAMON.view.t1 - DAMON.view.t0) * box.width;
  const toY = (place) => box.top + box.height - (place - DAMON.view.a0) / (DAMON.view.a1 - DAMON.view.a0) * box.height;

  const drawAxes = (context) => {
    const view = DAMON.view;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = DAMON.colour("--soft");
    context.strokeStyle = DAMON.colour("--line");
    context.textBaseline = "middle";
    context.textAlign = "right";
    const count = Math.max(Math.floor(box.height / 48), 2);
    for (let at = 0; at <= count; at += 1) {
      const place = view.a0 + (view.a1 - view.a0) * at / count, y = toY(place);
      const text = `0x${(DAMON.addressAt(Math.min(place, DAMON.total - 1)) - DAMON.addressAt(place) % 4096).toString(16)}`;
      const short = box.left < 100 && text.length > 11 ? `…${text.slice(-8)}` : text;
      context.fillText(short, box.left - 6, Math.min(Math.max(y, 8), box.top + box.height - 4));
    }
    context.textAlign = "center";
    for (const at of DAMON.timeTicks(view.t0, view.t1, Math.max(Math.floor(box.width / 110), 2))) {
      const x = toX(at);
      context.fillText(DAMON.clockText(at), Math.min(Math.max(x, box.left + 14), box.left + box.width - 14), box.top + box.height + 14);
      context.beginPath(); context.moveTo(x, box.top + box.height); context.lineTo(x, box.top + box.height + 5); context.stroke();
    }
    context.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  };

  // Between spans of addresses something was left out.
  const drawCuts = (context) => {
    context.strokeStyle = DAMON.colour("--page");
    let before = 0;
    for (const [start, end] of DAMON.spans.slice(0, -1)) {
      before += (end - start) / DAMON.unit;
      const y = Math.round(toY(before)) + 0.5;
      if (y <= box.top || y >= box.top + box.height) continue;
      context.beginPath(); context.moveTo(box.left, y); context.lineTo(box.left + box.width, y); context.stroke();
    }
  };

  const drawNames = (context) => {
    if (box.right < 100) return;
    context.textAlign = "left";
    let free = box.top + box.height + 8;
    for (const [start, end, name] of DAMON.mappings) {
      const low = toY(Math.max(DAMON.placeOf(start), DAMON.view.a0)), high = toY(Math.min(DAMON.placeOf(end), DAMON.view.a1));
      if (low - high < 3) continue;
      context.strokeStyle = DAMON.colour("--soft");
      context.beginPath();
      context.moveTo(box.left + box.width + 3, low - 1); context.lineTo(box.left + box.width + 6, low - 1);
      context.lineTo(box.left + box.width + 6, high + 1); context.lineTo(box.left + box.width + 3, high + 1);
      context.stroke();
      const y = Math.min((low + high) / 2, free - 7);
      if (y > free - 7 || y < high - 2) continue;
      context.fillText(name.length > 24 ? `…${name.slice(-23)}` : name, box.left + box.width + 10, y);
      free = y - 7;
    }
  };

  const drawCross = (context) => {
    context.strokeStyle = DAMON.colour("--cross");
    context.lineWidth = 1;
    const moment = toX((DAMON.columns.begin[DAMON.moment] + DAMON.columns.end[DAMON.moment]) / 2);
    if (moment >= box.left && moment <= box.left + box.width) {
      context.setLineDash([3, 3]);
      context.beginPath(); context.moveTo(moment, box.top); context.lineTo(moment, box.top + box.height); context.stroke();
      context.setLineDash([]);
    }
    if (state.cross) {
      const x = Math.round(toX(state.cross.seconds)) + 0.5, y = Math.round(toY(state.cross.place)) + 0.5;
      context.beginPath();
      context.moveTo(x, box.top); context.lineTo(x, box.top + box.height);
      context.moveTo(box.left, y); context.lineTo(box.left + box.width, y);
      context.stroke();
    }
    if (state.drag && state.drag.kind === "zoom") {
      const { x0, y0, x1, y1 } = state.drag;
      context.strokeStyle = DAMON.colour("--focus");
      context.lineWidth = 2;
      context.strokeRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    }
  };

  const draw = () => {
    if (box.width <= 0) return;
    const context = canvas.getContext("2d");
    context.setTransform(box.ratio, 0, 0, box.ratio, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    context.drawImage(picture(), box.left, box.top, box.width, box.height);
    context.lineWidth = 1;
    drawCuts(context);
    drawAxes(context);
    drawNames(context);
    drawCross(context);
  };

  const bounded = (low, high, most, least) => {
    const length = Math.min(Math.max(high - low, least), most);
    const start = Math.min(Math.max((low + high - length) / 2, 0), most - length);
    return [start, start + length];
  };

  const show = (view) => {
    const [t0, t1] = bounded(view.t0, view.t1, DAMON.seconds, DAMON.seconds / 1e5);
    const [a0, a1] = bounded(view.a0, view.a1, DAMON.total, Math.min(1, DAMON.total));
    DAMON.view = { t0, t1, a0, a1 };
    draw();
    document.dispatchEvent(new Event("damon-view"));
  };

  const zoom = (factor, seconds, place) => {
    const view = DAMON.view;
    show({ t0: seconds - (seconds - view.t0) / factor, t1: seconds + (view.t1 - seconds) / factor,
           a0: place - (place - view.a0) / factor, a1: place + (view.a1 - place) / factor });
  };

  const setCross = (seconds, place) => {
    const view = DAMON.view;
    state.cross = { seconds: Math.min(Math.max(seconds, view.t0), view.t1), place: Math.min(Math.max(place, view.a0), view.a1) };
    draw();
    DAMON.readOut(state.cross.seconds, Math.min(state.cross.place, DAMON.total - 1e-6));
  };

  return { canvas, state, layout, draw, show, zoom, setCross, whole, isWhole, box: () => box, toX, toY };
})();
