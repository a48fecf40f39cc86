"use strict";
// What the record has in it, and words for it. Everything of the page hangs on DAMON.
const DAMON = { moment: 0, view: null };

DAMON.byId = (id) => document.getElementById(id);

DAMON.load = async () => {
  const data = JSON.parse(DAMON.byId("data").textContent);
  const packed = Uint8Array.from(atob(data.columns.packed), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(unpacked).arrayBuffer();
  const count = data.columns.nrRegions.reduce((sum, number) => sum + number, 0);
  const part = (at) => new Uint32Array(buffer, 4 * count * at, count);
  Object.assign(DAMON, data, {
    start: part(0), size: part(1), age: part(2), idle: part(3), share: new Uint16Array(buffer, 16 * count, count),
  });
  DAMON.first = [0];
  for (const number of data.columns.nrRegions) DAMON.first.push(DAMON.first[DAMON.first.length - 1] + number);
  DAMON.total = data.spans.reduce((sum, span) => sum + span[1] - span[0], 0) / data.unit;
  DAMON.seconds = Math.max(...data.columns.end.slice(-1), 1e-6);
  DAMON.moment = data.columns.begin.length - 1;
};

DAMON.UNKNOWN = 0xffff;
DAMON.NO_IDLE = 0xffffffff;

// The column at a time in seconds; -1: nothing was watched then.
DAMON.columnAt = (seconds) => {
  const { begin, end } = DAMON.columns;
  let low = 0, high = begin.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (begin[middle] <= seconds) low = middle + 1; else high = middle;
  }
  return low > 0 && seconds <= end[low - 1] ? low - 1 : -1;
};

// The region of a column at a place on the axis; -1: none.
DAMON.regionAt = (column, place) => {
  let low = DAMON.first[column], high = DAMON.first[column + 1];
  const lowest = low;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (DAMON.start[middle] <= place) low = middle + 1; else high = middle;
  }
  const found = low - 1;
  return found >= lowest && place < DAMON.start[found] + DAMON.size[found] ? found : -1;
};

DAMON.addressAt = (place) => {
  let left = place * DAMON.unit;
  for (const [start, end] of DAMON.spans) {
    if (left < end - start) return start + Math.floor(left);
    left -= end - start;
  }
  return DAMON.spans[DAMON.spans.length - 1][1];
};

// Where an address is on the axis.
DAMON.placeOf = (address) => {
  let before = 0;
  for (const [start, end] of DAMON.spans) {
    if (address < start) break;
    if (address < end) return (before + address - start) / DAMON.unit;
    before += end - start;
  }
  return before / DAMON.unit;
};

DAMON.mappingAt = (address) => {
  let low = 0, high = DAMON.mappings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (DAMON.mappings[middle][0] <= address) low = middle + 1; else high = middle;
  }
  const found = DAMON.mappings[low - 1];
  return found && address < found[1] ? found[2] : "";
};

DAMON.sizeText = (bytes) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) { bytes /= 1024; at += 1; }
  return `${at === 0 ? Math.round(bytes) : bytes.toFixed(bytes < 100 ? 1 : 0)} ${units[at]}`;
};

DAMON.durationText = (seconds) => {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (seconds >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
  }
  return `${Number((seconds * 1000).toPrecision(3))} ms`;
};

// Round numbers between two values, about `count` of them.
DAMON.ticks = (low, high, count, steps = [1, 2, 5, 10]) => {
  const rough = (high - low) / Math.max(count, 1), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * steps.find((one) => one * power >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(at);
  return found;
};

// The same for times: in minutes and hours where those are round.
DAMON.timeTicks = (low, high, count) => {
  const rough = (high - low) / Math.max(count, 1);
  if (rough < 5) return DAMON.ticks(low, high, count);
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400]
    .find((one) => one >= rough) || Math.ceil(rough / 86400) * 86400;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
};

DAMON.clockText = (seconds) => {
  const whole = Math.round(seconds * 1000) / 1000;
  const minutes = Math.floor(whole / 60), rest = whole - minutes * 60;
  if (minutes === 0) return `${Number(rest.toFixed(3))} s`;
  const two = (number) => String(number).padStart(2, "0");
  const tail = Number.isInteger(rest) ? two(rest) : two(Math.floor(rest)) + rest.toFixed(2).slice(-3);
  return minutes < 60 ? `${minutes}:${tail}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}`;
};

DAMON.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

DAMON.make = (kind, parent, text, className) => {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  parent.append(made);
  return made;
};
