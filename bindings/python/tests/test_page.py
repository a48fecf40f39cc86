"""damon report html: the page, and what a browser makes of it."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import stat
import zlib
from collections.abc import Iterator
from typing import Any

import numpy
import pytest
from browser import Browser, browser
from simulated import BASE, HOT, LATER, MAPPINGS, MIB, simulated

import damon
from damon import records
from damon.cli import main
from damon.records import page
from damon.records.loading import load

UNSEEN = (BASE + 48 * MIB, BASE + 56 * MIB)


def with_unseen(source: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """The record, with a part of which nothing is known, and a pause."""
    record = records.open(source)
    with records.Writer(path, record.header) as writer:
        for frame in record.frames():
            if isinstance(frame, records.Mappings):
                writer.mappings(frame.entries, frame.time_ns)
            elif isinstance(frame, records.SchemeStats):
                writer.schemes(frame.schemes, frame.time_ns)
            elif isinstance(frame, records.Window) and not 20 < frame.seq <= 30:
                writer.window(records.Window(**{**frame.__dict__, "regions": split(frame.regions)}))
    return path


def split(regions: Any) -> Any:
    """The regions, with UNSEEN as one of its own."""
    rest = []
    for low, high in ((0, UNSEEN[0]), (UNSEEN[1], 2**63)):
        part = regions[(regions["start"] < high) & (regions["end"] > low)].copy()
        part["start"], part["end"] = numpy.maximum(part["start"], low), numpy.minimum(part["end"], high)
        rest.append(part)
    hidden = regions[-1:].copy()
    hidden["start"], hidden["end"], hidden["flags"], hidden["nr_accesses"] = *UNSEEN, damon.RegionFlags.UNKNOWN, 0
    return numpy.concatenate((rest[0], hidden, rest[1]))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    """(a record, its page)"""
    folder = tmp_path_factory.mktemp("page")
    record = with_unseen(simulated(folder / "whole.rec"), folder / "sim.rec")
    assert main(["report", "html", str(record), "-o", str(folder / "sim.html")]) == 0
    return record, folder / "sim.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests: it takes a second to start."""
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def data_in(html: pathlib.Path) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html.read_text(), re.S)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def test_the_page_is_one_file_that_asks_for_nothing_from_elsewhere(files: tuple[pathlib.Path, pathlib.Path]) -> None:
    text = files[1].read_text()
    assert not re.findall(r"""(?:src|href)\s*=|url\(\s*["']?(?!#)|https?://(?!www\.w3\.org/2000/svg)|@import|\bfetch\(""", text)
    assert "default-src 'none'" in text and "{{" not in text
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600 and len(text) < 300_000


def test_the_page_has_what_the_record_has(files: tuple[pathlib.Path, pathlib.Path]) -> None:
    data = data_in(files[1])
    columns = data["columns"]
    count = sum(columns["nrRegions"])
    packed = zlib.decompress(base64.b64decode(columns["packed"]))
    assert len(columns["begin"]) == 90 and len(packed) == count * 18
    share = numpy.frombuffer(packed, "<u2", count, count * 16)
    windows = list(records.open(files[0]))
    assert count == sum(len(window.regions) for window in windows)
    assert (share == 0xFFFF).sum() == 90 and share[0] == 10_000 * windows[0].regions["nr_accesses"][0] // 20
    assert data["gaps"] == [[pytest.approx(2.0), pytest.approx(3.0)]]
    assert [name for _, _, name in data["mappings"]] == [mapping.name for mapping in MAPPINGS]
    assert data["schemes"][0]["action"] == "pageout" and data["schemes"][0]["course"][-1][1] >= 32 * MIB


def test_windows_are_put_together_where_there_are_many(
    files: tuple[pathlib.Path, pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_COLUMNS", 10)
    found = load(files[0])
    columns = page.columns_of(found, 0)
    assert 10 <= len(columns) <= 11
    for column in columns[2:]:  # regions have settled
        hot = column.share[column.window.regions["start"] < HOT[0] + MIB]
        assert hot.mean() == pytest.approx(1.0, abs=0.05)
        hidden = column.hidden[column.window.regions["start"] == UNSEEN[0]]
        assert hidden.tolist() == [1.0]


def test_names_that_try_to_break_out_stay_text(tmp_path: pathlib.Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    record = simulated(tmp_path / "hostile.rec", seconds=1, labels={"service": hostile})
    with records.Writer(record, append=True) as writer:
        writer.mappings([records.Mapping(BASE, BASE + MIB, "rw-p", hostile)], 0)
        writer.window(load(record.with_name("hostile.rec.000001")).windows[-1])
    assert main(["report", "html", str(record), "-o", str(tmp_path / "x.html")]) == 0
    assert hostile not in (tmp_path / "x.html").read_text()


def spot(chromium: Browser, seconds: float, address: int) -> tuple[float, float]:
    """Where it is in the window."""
    x, y = chromium.evaluate(f"""(() => {{
        const frame = DAMON.heat.canvas.getBoundingClientRect();
        return [frame.left + DAMON.heat.toX({seconds}), frame.top + DAMON.heat.toY(DAMON.placeOf({address}))];
    }})()""")
    return x, y


def read_out(chromium: Browser) -> dict[str, str]:
    found: dict[str, str] = chromium.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#readout dd')].map((one) => [one.id, one.textContent]))")
    return found


def test_hovering_reads_values(files: tuple[pathlib.Path, pathlib.Path], chromium: Browser) -> None:
    chromium.show(files[1], 1280, 900)
    chromium.mouse("Moved", *spot(chromium, 8.05, HOT[0] + 4 * MIB))
    hot = read_out(chromium)
    assert hot["at-mapping"] == "[heap]" and hot["at-idle"] == "in use"
    samples = float(hot["at-accesses"].split()[0])
    assert samples >= 18 and hot["at-accesses"].endswith(f"of 20 samples ({round(samples * 5)} %)")
    assert abs(int(hot["at-address"], 16) - HOT[0] - 4 * MIB) < MIB and hot["at-time"].startswith("8.0")
    chromium.mouse("Moved", *spot(chromium, 8.05, BASE + 20 * MIB))
    idle = read_out(chromium)
    assert idle["at-accesses"] == "0 of 20 samples (0 %)" and float(idle["at-idle"].split()[0]) > 0
    chromium.mouse("Moved", *spot(chromium, 8.05, UNSEEN[0] + 4 * MIB))
    hidden = read_out(chromium)
    assert hidden["at-accesses"] == "not visible" and hidden["at-mapping"] == "/dev/shm/cache"
    chromium.mouse("Moved", *spot(chromium, 2.5, HOT[0] + 4 * MIB))
    assert read_out(chromium)["at-accesses"] == "not watched"
    assert not chromium.errors


def test_dragging_and_the_wheel_zoom(files: tuple[pathlib.Path, pathlib.Path], chromium: Browser) -> None:
    chromium.show(files[1], 1280, 900)
    x0, y0 = spot(chromium, 4, LATER[0])
    x1, y1 = spot(chromium, 9, LATER[1])
    chromium.mouse("Moved", x0, y0)
    chromium.mouse("Pressed", x0, y0)
    chromium.mouse("Moved", (x0 + x1) / 2, (y0 + y1) / 2, buttons=1)
    chromium.mouse("Moved", x1, y1, buttons=1)
    chromium.mouse("Released", x1, y1)
    view = chromium.evaluate("DAMON.view")
    assert view["t0"] == pytest.approx(4, abs=0.1) and view["t1"] == pytest.approx(9, abs=0.1)
    assert view["a1"] - view["a0"] == pytest.approx(8 * 256, abs=60)
    before = view["t1"] - view["t0"]
    chromium.mouse("Wheel", (x0 + x1) / 2, y0 - 5, deltaX=0, deltaY=-400)
    chromium.until(f"DAMON.view.t1 - DAMON.view.t0 < {before * 0.7}")
    chromium.evaluate("document.querySelector('[data-zoom=reset]').click()")
    assert chromium.evaluate("DAMON.heat.isWhole()") is True


def test_the_picture_is_hot_where_memory_is_and_hatched_where_it_is_not_visible(
    files: tuple[pathlib.Path, pathlib.Path], chromium: Browser
) -> None:
    chromium.show(files[1], 1280, 900)

    def colours(seconds: float, address: int) -> list[list[int]]:
        found: list[list[int]] = chromium.evaluate(f"""(() => {{
            const x = DAMON.heat.toX({seconds}), y = DAMON.heat.toY(DAMON.placeOf({address}));
            const pixels = DAMON.heat.canvas.getContext("2d").getImageData(x, y - 6, 1, 12).data;
            return [0, 4, 8].map((at) => [...pixels.slice(4 * at, 4 * at + 3)]);
        }})()""")
        return found

    hot, idle = colours(8, HOT[0] + 4 * MIB)[0], colours(8, BASE + 20 * MIB)[0]
    assert sum(hot) < 250 < 600 < sum(idle)
    hatched = colours(8, UNSEEN[0] + 4 * MIB)
    assert len({tuple(one) for one in hatched}) == 2 and all(len(set(one)) <= 3 for one in hatched)
    later = LATER[0] + 4 * MIB
    assert sum(colours(4, later)[0]) > 600 > 250 > sum(colours(8, later)[0])


def test_keys_move_the_cross_and_choose_a_moment(files: tuple[pathlib.Path, pathlib.Path], chromium: Browser) -> None:
    chromium.show(files[1], 1280, 900)
    chromium.evaluate("DAMON.heat.canvas.focus()")
    chromium.key("ArrowRight", 39)
    right = read_out(chromium)["at-time"]
    chromium.key("ArrowRight", 39)
    assert read_out(chromium)["at-time"] != right
    chromium.key("+")
    assert chromium.evaluate("DAMON.heat.isWhole()") is False
    words = chromium.evaluate("document.querySelector('.moment').textContent")
    assert "the end of the record" in words
    chromium.key("Enter", 13)
    assert chromium.evaluate("document.querySelector('.moment').textContent") != words
    text = chromium.evaluate("document.getElementById('mappings').innerText")
    assert "[heap]" in text and "32.0 MiB" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(
    files: tuple[pathlib.Path, pathlib.Path], chromium: Browser, width: int, scheme: str
) -> None:
    chromium.show(files[1], width, 844, scheme)
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    assert chromium.evaluate("document.documentElement.dataset.theme") == scheme
    wide = chromium.evaluate("""[...document.querySelectorAll("main *")].filter((one) => !one.closest("svg") &&
        one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))""")
    assert wide == []


def test_the_theme_can_be_switched(files: tuple[pathlib.Path, pathlib.Path], chromium: Browser) -> None:
    chromium.show(files[1], 1280, 900, "light")
    light = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    chromium.evaluate("document.getElementById('theme').click()")
    assert chromium.evaluate("document.documentElement.dataset.theme") == "dark"
    assert chromium.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_everything_has_an_accessible_name(files: tuple[pathlib.Path, pathlib.Path], chromium: Browser) -> None:
    chromium.show(files[1], 1280, 900)
    names = chromium.names()
    assert {"Zoom in", "Zoom out", "Whole record", "Switch to dark"} <= set(names["button"]) and "" not in names["button"]
    assert names["application"] == ["Heat map: time to the right, addresses upwards"]
    images = names.get("img", []) + names.get("image", [])
    assert "Working set over time" in images and "" not in images
    assert {"Accesses over time and address", "Working set", "Idle for how long", "By mapping"} <= set(names["heading"])
