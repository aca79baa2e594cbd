"""`ekm demo`: the whole rehearsal once, on this machine, with a text for each step."""

from openai_ekm.rehearsal.demo.report import Report
from openai_ekm.rehearsal.demo.steps import rehearse

__all__ = ["Report", "rehearse"]
