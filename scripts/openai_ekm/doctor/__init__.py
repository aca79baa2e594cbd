"""The doctor: one read-only look at everything that a registration depends on.

Readers (`read_*`) ask this machine, AWS and OpenAI, and return facts. Each check is a pure function
from facts to lines. `examine` puts both together.

Source: docs/operate/doctor.md
"""

from __future__ import annotations

from openai_ekm.doctor.checks import CHECKS, Family, Line, State, exit_code
from openai_ekm.doctor.examine import examine
from openai_ekm.doctor.facts import Given

__all__ = ["CHECKS", "Family", "Given", "Line", "State", "examine", "exit_code"]
