"use strict";
// The tables of one moment: how long memory is idle, and which mapping has it.
DAMON.MINUTE_MS = 60000;

// Calls back with (size in bytes, kind, idle in ms, region) for each region of a column.
DAMON.eachRegion = (column, tell) => {
  for (let at = DAMON.first[column]; at < DAMON.first[column + 1]; at += 1) {
    const kind = DAMON.share[at] === DAMON.UNKNOWN ? "hatched" : DAMON.share[at] > 0 ? "hot" : "idle";
    const idle = DAMON.idle[at] === DAMON.NO_IDLE ? DAMON.age[at] : DAMON.idle[at];
    tell(DAMON.size[at] * DAMON.unit, kind, idle, at);
  }
};

DAMON.bar = (list, words, number, parts, whole) => {
  const item = DAMON.make("li", list), line = DAMON.make("div", item, undefined, "words");
  DAMON.make("span", line, words);
  DAMON.make("span", line, number);
  const stack = DAMON.make("div", item, undefined, "stack");
  for (const [kind, bytes] of parts) {
    if (bytes > 0) DAMON.make("i", stack, undefined, kind).style.width = `${Math.max(100 * bytes / Math.max(whole, 1), 0.4)}%`;
  }
};

DAMON.showIdle = (column) => {
  const steps = DAMON.idleSteps, sums = steps.map(() => 0);
  let hot = 0, hidden = 0, total = 0;
  DAMON.eachRegion(column, (size, kind, idle) => {
    total += size;
    if (kind === "hot") hot += size;
    else if (kind === "hatched") hidden += size;
    else sums[steps.reduce((best, step, at) => idle >= step[0] ? at : best, 0)] += size;
  });
  const list = DAMON.byId("idle"), text = (bytes) => `${DAMON.sizeText(bytes)}, ${(100 * bytes / Math.max(total, 1)).toFixed(1)} %`;
  list.replaceChildren();
  DAMON.bar(list, "accessed", text(hot), [["hot", hot]], total);
  const last = sums.reduce((best, sum, at) => sum > 0 ? at : best, 0);
  steps.slice(0, Math.max(last + 1, 4)).forEach(([from, words], at) => {
    const next = steps[at + 1], name = at === 0 ? words : next ? `${words} to ${next[1]}` : `${words} or more`;
    DAMON.bar(list, `idle ${name}`, text(sums[at]), [[from >= DAMON.MINUTE_MS ? "cold" : "warm", sums[at]]], total);
  });
  if (hidden > 0) DAMON.bar(list, "not visible", text(hidden), [["hatched", hidden]], total);
};

DAMON.mappingSums = (column) => {
  const sums = new Map();
  const add = (name, kind, size) => {
    if (!sums.has(name)) sums.set(name, { hot: 0, warm: 0, cold: 0, hatched: 0, total: 0 });
    const row = sums.get(name);
    row[kind] += size;
    row.total += size;
  };
  let place = 0;
  DAMON.eachRegion(column, (size, kind, idle, at) => {
    let address = DAMON.addressAt(DAMON.start[at]);
    const end = address + size, what = kind !== "idle" ? kind : idle >= DAMON.MINUTE_MS ? "cold" : "warm";
    while (place < DAMON.mappings.length && DAMON.mappings[place][1] <= address) place += 1;
    for (let next = place; address < end; next += 1) {
      const mapping = DAMON.mappings[next];
      if (!mapping || mapping[0] >= end) { add("not known", what, end - address); break; }
      if (mapping[0] > address) add("not known", what, mapping[0] - address);
      const until = Math.min(mapping[1], end);
      if (until > Math.max(address, mapping[0])) add(mapping[2], what, until - Math.max(address, mapping[0]));
      address = until;
    }
  });
  return [...sums].sort((one, other) => other[1].total - one[1].total);
};

DAMON.showMappings = (column) => {
  const list = DAMON.byId("mappings"), rows = DAMON.mappingSums(column), most = rows.length ? rows[0][1].total : 1;
  list.replaceChildren();
  for (const [name, row] of rows.slice(0, 12)) {
    const idle = row.cold > 0 ? `, ${DAMON.sizeText(row.cold)} idle over 1 min` : "";
    DAMON.bar(list, name, `${DAMON.sizeText(row.total)}${idle}`,
              ["hot", "warm", "cold", "hatched"].map((kind) => [kind, row[kind]]), most);
  }
  if (rows.length > 12) {
    const rest = rows.slice(12).reduce((sum, row) => sum + row[1].total, 0);
    DAMON.bar(list, `${rows.length - 12} smaller ones`, DAMON.sizeText(rest), [["warm", 0]], most);
  }
};

DAMON.choose = (column) => {
  DAMON.moment = column;
  const isLast = column === DAMON.columns.begin.length - 1;
  for (const words of document.querySelectorAll(".moment")) {
    words.textContent = `At ${DAMON.clockText(DAMON.columns.end[column])}${isLast ? ", the end of the record" : ""}.`;
  }
  DAMON.showIdle(column);
  DAMON.showMappings(column);
};

DAMON.showTiles = () => {
  const column = DAMON.columns.begin.length - 1, sums = { hot: 0, hatched: 0, idle: 0, cold: 0, total: 0 };
  DAMON.eachRegion(column, (size, kind, idle) => {
    sums[kind] += size;
    sums.total += size;
    if (kind === "idle" && idle >= DAMON.MINUTE_MS) sums.cold += size;
  });
  const tile = (name, bytes) => {
    const item = DAMON.make("li", DAMON.byId("tiles"));
    DAMON.make("b", item, DAMON.sizeText(bytes));
    DAMON.make("span", item, name);
  };
  tile("watched", sums.total);
  tile(sums.hatched > 0 ? "accessed, at least" : "accessed", sums.hot);
  tile("idle for a minute or more", sums.cold);
  tile("not visible", sums.hatched);
};
