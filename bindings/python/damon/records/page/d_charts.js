"use strict";
// Lines over time, in the part of time that the heat map shows.
DAMON.chart = (parent, label, course, { colour, bands = [], other = null }) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  parent.append(svg);
  const make = (kind, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    svg.append(made);
    return made;
  };
  const isGap = (before, after) => DAMON.gaps.some(([begin, end]) => before <= begin + 1e-9 && after >= end - 1e-9);
  let toX, toY, value;

  // One path for each piece without a gap; close: back along the second values.
  const paths = (points, from, until) => {
    const pieces = [[]];
    points.forEach((point, at) => {
      if (at > 0 && isGap(points[at - 1][0], point[0])) pieces.push([]);
      pieces[pieces.length - 1].push(point);
    });
    const line = (list, pick) => list.map((point) => `${toX(point[0]).toFixed(1)},${toY(pick(point)).toFixed(1)}`).join(" L");
    return pieces.filter((piece) => piece.length > 0).map((piece) => {
      const there = `M${line(piece, until)}`;
      return from ? `${there} L${line([...piece].reverse(), from)} Z` : there;
    }).join(" ");
  };

  const draw = () => {
    const width = parent.clientWidth, height = 190, left = 66, bottom = 22, top = 12;
    const { t0, t1 } = DAMON.view;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const before = course.filter((point) => point[0] < t0).slice(-1), after = course.filter((point) => point[0] > t1).slice(0, 1);
    const points = [...before, ...course.filter((point) => point[0] >= t0 && point[0] <= t1), ...after];
    const most = Math.max(...points.map((point) => point[1] + (bands.length ? point[2] : 0)),
                          ...(other ? points.map((point) => point[other]) : []), 1);
    toX = (seconds) => left + (seconds - t0) / (t1 - t0) * (width - left - 8);
    toY = (bytes) => height - bottom - bytes / most * (height - bottom - top);
    const id = `clip-${parent.id}`, hatch = `hatch-${parent.id}`;
    const defs = make("defs", {});
    defs.innerHTML = `<clipPath id="${id}"><rect x="${left}" y="0" width="${Math.max(width - left - 8, 1)}" height="${height}"/></clipPath>` +
      `<pattern id="${hatch}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
      `<rect width="6" height="6" fill="${DAMON.colour("--hatch-b")}"/><rect width="3" height="6" fill="${DAMON.colour("--hatch-a")}"/></pattern>`;
    const unit = 1024 ** Math.min(Math.floor(Math.log2(most) / 10), 4);
    for (const at of DAMON.ticks(0, most / unit, 4)) {
      make("line", { x1: left, x2: width - 8, y1: toY(at * unit), y2: toY(at * unit), class: "grid" });
      make("text", { x: left - 6, y: toY(at * unit) + 4, "text-anchor": "end" }, DAMON.sizeText(at * unit));
    }
    for (const at of DAMON.timeTicks(t0, t1, Math.max(Math.floor(width / 110), 2))) {
      make("text", { x: Math.min(Math.max(toX(at), left + 10), width - 22), y: height - 6, "text-anchor": "middle" }, DAMON.clockText(at));
    }
    const clip = `url(#${id})`;
    if (bands.length) {
      make("path", { d: paths(points, (point) => point[1], (point) => point[1] + point[2]), fill: `url(#${hatch})`, "clip-path": clip });
    }
    if (other) {
      make("path", { d: paths(points, null, (point) => point[other]), fill: "none", stroke: DAMON.colour("--soft"),
                     "stroke-dasharray": "4 3", "clip-path": clip });
    }
    make("path", { d: paths(points, null, (point) => point[1]), fill: "none", stroke: DAMON.colour(colour), "stroke-width": 2,
                   "stroke-linejoin": "round", "clip-path": clip });
    value = make("text", { x: width - 10, y: 12, "text-anchor": "end", class: "value" }, "");
  };

  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect(), { t0, t1 } = DAMON.view;
    const seconds = t0 + (event.clientX - frame.left - 66) / Math.max(frame.width - 74, 1) * (t1 - t0);
    const found = course.reduce((best, point) => Math.abs(point[0] - seconds) < Math.abs(best[0] - seconds) ? point : best);
    const unknown = bands.length && found[2] ? `, not visible ${DAMON.sizeText(found[2])}` : "";
    value.textContent = `${DAMON.clockText(found[0])}: ${DAMON.sizeText(found[1])}${unknown}`;
  });
  svg.addEventListener("pointerleave", () => { value.textContent = ""; });
  document.addEventListener("damon-view", draw);
  document.addEventListener("damon-theme", draw);
  new ResizeObserver(draw).observe(parent);
};
