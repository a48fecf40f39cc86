"""Records whose checksums are right and whose numbers are absurd: reports and exports end in pictures or one line of words."""

from __future__ import annotations

import json
import pathlib
import random

import numpy
import pytest
from skipping import module

from damon import records
from damon.cli import main
from damon.records.model import DTYPE

EDGES = (0, 1, 2, 4095, 4096, 2**20, 2**31 - 1, 2**32 - 1, 2**47, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
SMALL = tuple(edge for edge in EDGES if edge < 2**32)


def random_window(rng: random.Random) -> records.Window:
    regions = numpy.zeros(rng.choice((0, 1, 2, 5, 40)), numpy.dtype(list(DTYPE)))
    for region in regions:
        start, end = sorted(rng.sample(EDGES, 2)) if rng.random() < 0.5 else sorted(rng.sample(range(2**24), 2))
        region["start"], region["end"] = start, end
        for name in ("age_us", "idle_us"):
            region[name] = rng.choice(EDGES)
        for name in ("nr_accesses", "age", "flags"):
            region[name] = rng.choice(SMALL)
        region["target_idx"] = rng.choice((0, 0, 0, 1, 2**32 - 1))
        region["unknown_reason"] = rng.choice((0, 1, 99, 2**31 - 1))
    long = {name: rng.choice(EDGES) for name in ("wall_ns", "seq", "window_us", "sample_us", "aggr_us", "rss_bytes", "cpu_ns",
                                                 "nr_samples", "nr_unknown_samples", "cost_permil")}
    short = {name: rng.choice(SMALL) for name in ("max_nr_accesses", "nr_targets", "flags")}
    time_ns = rng.choice(EDGES) if rng.random() < 0.1 else rng.randrange(10**11)
    return records.Window(time_ns=time_ns, regions=regions, **long, **short)


def random_record(rng: random.Random, path: pathlib.Path) -> None:
    header = records.header_of(
        rng.choice(EDGES), command_line=rng.random() < 0.5, monotonic_ns=0 if rng.random() < 0.8 else rng.choice(EDGES),
        wall_ns=10**18 if rng.random() < 0.8 else rng.choice(EDGES),
        host=rng.choice(("", "../../x", "a b", "\x1b[31m")), program=rng.choice(("", "p\x00\n", "\u202e")),
        record_id=rng.choice(("", "../y", "ab")), labels={"service": "\x1b]0;x\x07"}, attrs={"ops_update_us": rng.choice(("x", -1, 2**70))},
        access_checks={"auto": rng.choice((1, {}, {"reason": 5}, {"reason": "<b>"}))})
    with records.Writer(path, header) as writer:
        for _ in range(rng.randint(1, 6)):
            mappings = [records.Mapping(*sorted(rng.sample(EDGES, 2)), "rw-p", rng.choice(("[heap]", "\x1b[2J", "")))
                        for _ in range(rng.randint(0, 3))]
            writer.mappings(mappings, rng.choice(EDGES))
            writer.window(random_window(rng))
            writer.schemes([{"action": rng.choice(("stat", "\x1b")), "sz_applied": rng.choice(EDGES)}] * rng.randint(0, 2),
                           rng.choice(EDGES))
            writer.event(rng.choice(("lost", "pause", "x")), rng.choice(EDGES), nr_windows=rng.choice((1, "x", -5)))


@pytest.mark.parametrize("seed", range(12))
def test_absurd_numbers_end_in_words(seed: int, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    path = tmp_path / "hostile.rec"
    random_record(rng, path)
    commands = [["report", kind, str(path), *more] for kind in ("heatmap", "wss", "snapshot", "idle", "access")
                for more in ([], ["--json"])]
    commands += [["report", "html", str(path)], ["export", "--to", "damo", str(path), "-o", str(tmp_path / "damo")]]
    for command in commands:
        code = main(command)
        out, error = capsys.readouterr()
        assert code == (1 if error else 0) and error.count("\n") <= 1, f"{command}: {error}"
        assert "\x1b" not in out + error and "\x07" not in out + error, f"{command} lets control characters through"
        if "--json" in command:
            json.loads(out.splitlines()[0])


@pytest.mark.parametrize("seed", range(5))
def test_absurd_numbers_make_data_sets_or_words(seed: int, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    module("pyarrow", "parquet")
    path = tmp_path / "in" / "hostile.rec"
    path.parent.mkdir()
    random_record(random.Random(seed), path)
    code = main(["export", "--to", "parquet", str(path), "-o", str(tmp_path / "out" / "set")])
    error = capsys.readouterr().err
    assert code == (1 if error else 0) and error.count("\n") <= 1
    assert {found.name for found in tmp_path.iterdir()} <= {"in", "out"}
