"""Whether a condition of a statement holds: one module for each operator family."""

from openai_ekm.evaluation.conditions.evaluate import holds, open_variable

__all__ = ["holds", "open_variable"]
