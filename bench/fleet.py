"""Fleets of 1 to 1,000 keys in virtual time: calls and minutes against the least there can be.

OpenAI is simulated with its limit of 7 calls a minute to each endpoint; the registrars are the
real ones. The least: each page of the list once, one create, one validate and one project a
key; minutes of the busiest endpoint at 7 calls in any 60 seconds, with no time for the calls
themselves. `look again` is the list at the end of a run of more than ten minutes, which finds
what somebody else registered meanwhile. Virtual time is the same on each machine.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.doubles.fleet_world import FleetWorld, entries, least_seconds

from openai_ekm.fleet.budget import pages
from openai_ekm.fleet.run import LOOK_AGAIN_AFTER

SIZES = (1, 10, 100, 1000)


def row(number: int) -> tuple[str, ...]:
    """One size, as `ekm register --manifest` does it."""
    world = FleetWorld()
    fleet = entries(number)
    began = time.perf_counter()
    outcomes = world.register(fleet)
    real = time.perf_counter() - began
    assert not [one for one in outcomes if one.failure], "a registration failed"  # nosec B101 # a benchmark checks itself
    assert not world.service.refused, "the rate limit was met"  # nosec B101 # a benchmark checks itself
    calls, least = sum(world.service.calls.values()), pages(0) + 3 * number
    again = pages(number) if world.seconds > LOOK_AGAIN_AFTER else 0
    minutes, at_least = world.seconds / 60, least_seconds(number) / 60
    return (
        f"{number}",
        f"{calls}",
        f"{least}",
        f"{calls / least:.3f}",
        f"{again}",
        f"{minutes:.1f}",
        f"{at_least:.1f}",
        f"{minutes / at_least:.3f}" if at_least else "-",
        f"{real:.1f} s",
    )


def memory(number: int) -> float:
    """KiB that a registrar's run of so many keys needs at most, beyond what OpenAI itself holds."""
    world = FleetWorld()
    fleet = entries(number)
    gc.collect()
    tracemalloc.start(1)
    world.register(fleet)
    _, peak = tracemalloc.get_traced_memory()
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (peak - kept) / 1024


def processes(number: int) -> tuple[int, int, float]:
    """Calls, lists, and minutes of separate processes, ten at a time, as an apply starts them."""
    with tempfile.TemporaryDirectory(prefix="ekm-bench-") as folder:
        world = FleetWorld(shared_folder=Path(folder))
        outcomes = world.register(entries(number), concurrency=10)
    assert not [one for one in outcomes if one.failure], "a registration failed"  # nosec B101 # a benchmark checks itself
    assert not world.service.refused, "the rate limit was met"  # nosec B101 # a benchmark checks itself
    lists = world.service.calls["GET /organization/external_keys"]
    return sum(world.service.calls.values()), lists, world.seconds / 60


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    table = [
        ("keys", "calls", "least", "ratio", "look again", "minutes", "least", "ratio", "really"),
        *(row(number) for number in SIZES),
    ]
    print("ekm register --manifest, in virtual time, 7 calls a minute to each endpoint")
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    print("\nOne process a key, ten at a time (for_each in one apply)")
    for number in SIZES[1:3]:
        calls, lists, minutes = processes(number)
        print(
            f"{number:5} keys: {calls} calls, {lists} of them lists; {minutes:.1f} minutes, "
            f"{minutes * 60 / least_seconds(number):.3f} of the least"
        )
    few, many = memory(100), memory(1000)
    print(
        f"\nMemory of a run: {few:.0f} KiB with 100 keys, {many:.0f} KiB with 1,000: "
        f"{(many - few) / 900:.2f} KiB a key, its outcome"
    )


if __name__ == "__main__":
    main()
