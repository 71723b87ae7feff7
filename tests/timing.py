"""How long something takes at best, for tests of speed."""

from __future__ import annotations

import time
from collections.abc import Callable


def best_seconds(work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """The shortest of several timings: what the machine can do, not what else it was doing.

    clock: `time.process_time` counts core-seconds, which other programs' load leaves alone.
    """
    seconds = []
    for _ in range(rounds):
        begin = clock()
        work()
        seconds.append(clock() - begin)
    return min(seconds)
