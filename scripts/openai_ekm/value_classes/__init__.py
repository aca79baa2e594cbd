"""The classes of values that conditions and patterns tell apart, each with an example."""

from __future__ import annotations

from openai_ekm.value_classes.domains import Domain, KeyUse, Value, make_domain
from openai_ekm.value_classes.string_classes import Undecidable

__all__ = ["Domain", "KeyUse", "Undecidable", "Value", "make_domain"]
