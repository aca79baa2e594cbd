"""Run every fault schedule and write the tables of docs/reliability.md.

    python tools/reliability_table.py    takes some minutes on two cores

The text between `<!-- table N -->` and `<!-- /table N -->` is replaced, and the number of
schedules in the line before it. tests/faults/test_reliability.py pins that both agree.
"""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "reliability.md"
sys.path.insert(0, str(ROOT))

from tests.faults import reliability  # noqa: E402 - the tests' own schedules, once they can be found


def main() -> int:
    """Write the tables; fail when a schedule did not hold."""
    text = DOCUMENT.read_text(encoding="utf-8")
    work = (
        (reliability.single_row, list(reliability.singles())),
        (reliability.record_row, list(reliability.record_mishaps())),
        (reliability.pair_row, list(reliability.singles())),
    )
    broken: list[str] = []
    with ProcessPoolExecutor(int(os.environ.get("EKM_WORKERS", "2"))) as pool:
        for number, (row, names) in enumerate(work):
            rows = list(pool.map(row, names))
            broken += [words for found in rows for words in found.broken]
            lines = [reliability.headings()[number], *(found.line for found in rows)]
            head, rest = text.split(f"<!-- table {number} -->\n", 1)
            tail = rest.split(f"\n<!-- /table {number} -->", 1)[1]
            before, said, after = head.rstrip("\n").rpartition("\n")
            total = sum(found.total for found in rows)
            after = re.sub(r"[\d,]+ schedules", f"{total:,} schedules", after)
            body = "\n".join(lines)
            text = (
                f"{before}{said}{after}\n\n<!-- table {number} -->\n{body}\n"
                f"<!-- /table {number} -->{tail}"
            )
            print(f"table {number}: {sum(f.held for f in rows):,} of {total:,} held")
    DOCUMENT.write_text(text, encoding="utf-8")
    print("\n".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
