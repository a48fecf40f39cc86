"""What child processes of test_lifecycle.py run."""

from __future__ import annotations

from typing import Any

from support import AGGR_US, toy_context


def count_one_window(queue: Any) -> None:
    with toy_context() as own:
        own.advance(AGGR_US)
        queue.put(own.snapshot().seq)
