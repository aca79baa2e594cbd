"""Whether a condition of a statement holds: one module an operator family."""

from ekm.evaluation.conditions.holds import holds

__all__ = ["holds"]
