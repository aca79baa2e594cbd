"""The controls that a pack bears on: what its members support, and what they do not show.

Source: https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final
https://www.cisecurity.org/benchmark/amazon_web_services
https://www.cisecurity.org/controls/v8-1
https://docs.aws.amazon.com/securityhub/latest/userguide/cis-aws-foundations-benchmark.html
https://www.aicpa-cima.com/topic/audit-assurance/audit-and-assurance-greater-than-soc-2
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["FRAMEWORKS", "Control", "read_controls"]

FRAMEWORKS: Final = frozenset(
    {
        "NIST SP 800-53 r5",
        "CIS AWS Foundations Benchmark v5.0.0",
        "CIS Controls v8.1",
        "SOC 2",
    }
)


@dataclass(frozen=True, slots=True)
class Control:
    """One row of the table of controls.

    Args:
        framework: A name of `FRAMEWORKS`.
        id: The control's number there.
        title: NIST's own, in the public domain; of the others in our words.
        supports: What the members show, never with which result: a row is the same in every pack.
        does_not_show: What nobody may read into them.
        person: What a person still does.
        members: The attributes of a pack that bear on it.
        claims: The claims of the proof that bear on it.
    """

    framework: str
    id: str
    title: str
    supports: str
    does_not_show: str
    person: str
    members: tuple[str, ...]
    claims: tuple[str, ...]


@cache
def read_controls() -> tuple[Control, ...]:
    """Return every row, in the order of the table."""
    text = (files("openai_ekm.evidence") / "controls.toml").read_text(encoding="utf-8")
    return tuple(
        Control(**{**row, "members": tuple(row["members"]), "claims": tuple(row["claims"])})
        for row in tomllib.loads(text)["control"]
    )
