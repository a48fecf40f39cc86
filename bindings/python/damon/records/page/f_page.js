"use strict";
// Puts the page together.
DAMON.readOut = (seconds, place) => {
  const address = DAMON.addressAt(place), column = DAMON.columnAt(seconds);
  const region = column < 0 ? -1 : DAMON.regionAt(column, place);
  const set = (id, text) => { DAMON.byId(id).textContent = text; };
  set("at-time", DAMON.clockText(seconds));
  set("at-address", `0x${(address - address % 4096).toString(16)}`);
  set("at-mapping", DAMON.mappingAt(address) || "not known");
  if (region < 0) {
    for (const id of ["at-accesses", "at-age", "at-idle"]) set(id, "not watched");
    return;
  }
  const share = DAMON.share[region], most = DAMON.columns.maxNrAccesses[column];
  const isHidden = share === DAMON.UNKNOWN;
  set("at-accesses", isHidden ? "not visible" :
    `${Number((share / 10000 * most).toFixed(1))} of ${most} samples (${Math.round(share / 100)} %)`);
  set("at-age", DAMON.durationText(DAMON.age[region] / 1000));
  const idle = DAMON.idle[region] === DAMON.NO_IDLE ? "not known" : DAMON.durationText(DAMON.idle[region] / 1000);
  set("at-idle", isHidden ? "not visible" : share > 0 ? "in use" : idle);
};

DAMON.showFacts = (list, facts) => {
  for (const [name, value] of facts) {
    const pair = DAMON.make("div", list);
    DAMON.make("dt", pair, name);
    DAMON.make("dd", pair, value);
  }
};

DAMON.showSchemes = () => {
  const section = DAMON.byId("schemes");
  section.hidden = DAMON.schemes.length === 0;
  DAMON.schemes.forEach((scheme, place) => {
    DAMON.make("h3", section, `Scheme ${place}: ${scheme.action}`);
    DAMON.showFacts(DAMON.make("dl", section), scheme.facts);
    if (scheme.course.length > 1) {
      const chart = DAMON.make("div", section, undefined, "chart");
      chart.id = `scheme-${place}`;
      DAMON.chart(chart, `Bytes that scheme ${place}, ${scheme.action}, has acted on, over time`, scheme.course, { colour: "--cold" });
    }
  });
};

DAMON.setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
  document.documentElement.style.colorScheme = theme;
  DAMON.byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  DAMON.byId("theme").setAttribute("aria-label", `Switch to ${theme === "dark" ? "light" : "dark"}`);
  document.dispatchEvent(new Event("damon-theme"));
  if (DAMON.view) DAMON.heat.layout();
};

DAMON.start = async () => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  DAMON.setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => DAMON.setTheme(dark.matches ? "dark" : "light"));
  DAMON.byId("theme").addEventListener("click", () =>
    DAMON.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  DAMON.byId("title").textContent = document.title;
  try {
    await DAMON.load();
  } catch (error) {
    DAMON.byId("failure").hidden = false;
    DAMON.byId("failure").textContent = `This page cannot be shown here: ${error.message}. It needs a browser of 2023 or later.`;
    return;
  }
  for (const note of DAMON.notes) DAMON.make("li", DAMON.byId("notes"), note);
  DAMON.showTiles();
  DAMON.showFacts(DAMON.byId("facts"), DAMON.facts);
  DAMON.view = DAMON.heat.whole();
  DAMON.input();
  DAMON.choose(DAMON.moment);
  const hasRss = DAMON.workingSet.some((point) => point[4] > 0), hidden = DAMON.workingSet.some((point) => point[2] > 0);
  DAMON.byId("wss-help").textContent = "Memory that was accessed in a window." +
    (hidden ? " Hatched: not visible, may be accessed as well." : "") + (hasRss ? " Dashed: resident memory of the process." : "");
  DAMON.chart(DAMON.byId("wss"), "Working set over time", DAMON.workingSet,
              { colour: "--hot", bands: hidden ? [2] : [], other: hasRss ? 4 : null });
  DAMON.showSchemes();
  DAMON.heat.layout();
  new ResizeObserver(DAMON.heat.layout).observe(DAMON.heat.canvas);
  document.documentElement.dataset.ready = "yes";
};

DAMON.start();
