"""damon sim: what schemes would have done to a recorded run."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from simulated import BASE, LATER, MIB, simulated
from test_reports import window_with

import damon
from damon import records
from damon.cli import main
from damon.records.loading import load
from damon.records.trying import Pieces, Tried, tried

COLD = damon.AccessPattern(max_nr_accesses=0)
SECOND = 10**9


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return simulated(tmp_path_factory.mktemp("sim") / "sim.rec")


def tried_on(tmp_path: pathlib.Path, windows: list[records.Window], scheme: damon.Scheme) -> Tried:
    path = tmp_path / "made.rec"
    with records.Writer(path, records.header_of(monotonic_ns=0, wall_ns=0)) as writer:
        for window in windows:
            writer.window(window)
    found = tried(load(path), [scheme], damon.Attrs())
    return found[0]


def seconds_of(*states: tuple[tuple[int, ...], ...]) -> list[records.Window]:
    """A window a second with these regions."""
    return [window_with(*regions, seq=at, time_ns=at * SECOND, window_us=1_000_000) for at, regions in enumerate(states, 1)]


def test_what_would_have_been_paged_out_and_accessed_again_is_told(
    record: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("sim", str(record), "--damos_action", "pageout", "--damos_access_rate", "0%", "0%", "--damos_age", "3s", "max")
    assert main([*words, "--json"]) == 0
    found, = json.loads(capsys.readouterr().out)["schemes"]
    part = LATER[1] - LATER[0]
    # All but the hot part, of which the part in the middle is used from the fifth second on.
    assert found["applied_bytes"] == pytest.approx(56 * MIB, abs=4 * MIB)
    assert found["held_last_bytes"] == pytest.approx(48 * MIB, abs=4 * MIB)
    assert part - MIB <= found["accessed_again_bytes"] <= 2 * part  # with what lies in regions beside it
    within = found["accessed_again_within"]
    assert within["1s"] == 0 and within["10s"] == found["accessed_again_bytes"]
    assert main([*words]) == 0
    text = capsys.readouterr().out
    assert text.startswith("0: pageout: matched ") and "accessed again: " in text


def test_the_trial_agrees_with_what_the_recorded_scheme_did(record: pathlib.Path) -> None:
    found = load(record)
    recorded = found.schemes[-1].schemes[0]
    scheme = damon.Scheme(action="pageout", pattern=damon.AccessPattern(max_nr_accesses=0, min_age=30))
    one, = tried(found, [scheme], damon.Attrs())
    # What is paged out already is tried again and applied to again by the simulated machine; all of it stays within this.
    assert one.applied_bytes == pytest.approx(56 * MIB, abs=4 * MIB) and recorded["sz_applied"] >= 32 * MIB


def test_damos_files_are_tried(record: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps([{"action": "pageout", "access_pattern": {"nr_accesses": {"max": "0%"}, "age": {"min": "3s"}}},
                                {"action": "hugepage", "access_pattern": {"nr_accesses": {"min": "50%"}}}]))
    assert main(["sim", str(record), "--schemes", str(path), "--json"]) == 0
    cold, hot = json.loads(capsys.readouterr().out)["schemes"]
    assert cold["action"] == "pageout" and cold["held_last_bytes"] >= 40 * MIB
    assert hot["action"] == "hugepage" and hot["held_last_bytes"] == pytest.approx(16 * MIB, abs=4 * MIB)


def test_the_quota_goes_to_what_is_idle_for_longest(tmp_path: pathlib.Path) -> None:
    young, old = (BASE, BASE + 8 * MIB, 0, 10**6, 10**6, 0), (BASE + 8 * MIB, BASE + 16 * MIB, 0, 10**8, 10**8, 0)
    quota = damon.Quota(sz=6 * MIB, reset_interval_ms=1_500)
    one = tried_on(tmp_path, seconds_of((young, old), (young, old), (young, old)),
                   damon.Scheme(action="pageout", pattern=COLD, quota=quota))
    # 6 MiB at once, nothing a second later, and 6 more after two: what is left of the old part, and some of the young.
    assert one.held_bytes == [6 * MIB, 6 * MIB, 12 * MIB] and one.applied_bytes == 12 * MIB
    assert one.over_quota_bytes >= 10 * MIB


def test_memory_that_may_be_in_use_is_left_alone(tmp_path: pathlib.Path) -> None:
    writes_only, unknown = int(damon.RegionFlags.WRITES_ONLY), int(damon.RegionFlags.UNKNOWN)
    windows = seconds_of(((BASE, BASE + MIB, 0, 10**8, 10**8, writes_only), (BASE + MIB, BASE + 3 * MIB, 0, 10**8, 0, unknown)))
    scheme = damon.Scheme(action="pageout", pattern=COLD)
    one = tried_on(tmp_path, windows, scheme)
    assert (one.applied_bytes, one.unseen_bytes) == (0, 3 * MIB)
    allowed = dataclasses.replace(scheme, flags=damon.SchemeFlags.ALLOW_UNSEEN_READS)
    assert tried_on(tmp_path, windows, allowed).applied_bytes == MIB


def test_filters_by_address_are_obeyed_and_others_named(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = seconds_of(((BASE, BASE + MIB, 0, 10**8, 10**8, 0), (BASE + MIB, BASE + 3 * MIB, 0, 10**8, 10**8, 0)))
    keep = damon.Filter(type=damon.FilterType.ADDR, addr_start=BASE, addr_end=BASE + MIB, matching=True, allow=False)
    young = damon.Filter(type=damon.FilterType.YOUNG)
    one = tried_on(tmp_path, windows, damon.Scheme(action="pageout", pattern=COLD, filters=(keep, young)))
    assert one.applied_bytes == 2 * MIB
    assert one.not_tried == ["the filter 'young', which looks at pages"]


def test_without_a_scheme_there_is_nothing_to_try(record: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", str(record)]) == 1
    assert "no scheme to try" in capsys.readouterr().err
    assert main(["sim", str(record.parent / "none"), "--damos_action", "stat"]) == 1


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_as_a_set_of_bytes_would_be(seed: int) -> None:
    import random

    draw, pieces, truth = random.Random(seed), Pieces(), {}  # type: ignore[var-annotated]
    for step in range(200):
        start = draw.randrange(60)
        end = start + draw.randrange(1, 20)
        inside = range(start, end)
        if draw.random() < 0.6:
            fresh = [at for at in inside if at not in truth]
            assert pieces.missing(start, end) == len(fresh) == pieces.add(start, end, step)
            truth.update(dict.fromkeys(fresh, step))
        else:
            taken: Any = {at: since for low, high, since in pieces.take(start, end) for at in range(low, high)}
            assert taken == {at: truth.pop(at) for at in inside if at in truth}
        assert pieces.total == len(truth)
