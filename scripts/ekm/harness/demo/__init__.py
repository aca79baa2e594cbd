"""`ekm demo`: the whole mission once, on this machine, told so that it can be followed."""

from ekm.harness.demo.report import Report
from ekm.harness.demo.story import rehearse

__all__ = ["Report", "rehearse"]
