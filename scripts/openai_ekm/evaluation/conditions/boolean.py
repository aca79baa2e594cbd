"""Bool: `true` or `false`.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
"""

from __future__ import annotations

from openai_ekm.policy.letters import lower_ascii

__all__ = ["truth"]


def truth(text: str) -> bool | None:
    """Read `true` or `false` in any case; None when the text is neither."""
    return {"true": True, "false": False}.get(lower_ascii(text))
