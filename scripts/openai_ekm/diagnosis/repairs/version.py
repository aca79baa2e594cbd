"""The document's Version: before 2012-10-17 a variable is only text.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs.repair import Repair
from openai_ekm.diagnosis.result import Change
from openai_ekm.policy import MalformedPolicy, parse_document
from openai_ekm.policy.document import VARIABLES_SINCE

if TYPE_CHECKING:
    from openai_ekm.diagnosis.repairs.repair import Site

__all__ = ["VARIABLES_SINCE", "found", "renewed", "repair"]

_COST: Final = 0.5  # smaller than a change of the statement itself


def found(site: Site) -> str:
    """Return the Version of a statement's document, as it stands there."""
    version = site.whole.get("Version")
    return str(version) if version is not None else "absent, which means 2008-10-17"


def renewed(site: Site) -> Site | None:
    """Return the statement as Version 2012-10-17 reads it.

    Args:
        site: The statement.

    Returns:
        The same place with the statement read anew; None when the statement has no variable, the
        document has that Version already, or AWS would not save it under that Version.
    """
    if site.whole.get("Version") == VARIABLES_SINCE or "${" not in json.dumps(site.raw):
        return None
    try:
        document = parse_document({**site.whole, "Version": VARIABLES_SINCE}, site.kind)
    except MalformedPolicy:
        return None
    return replace(site, statement=document.statements[site.statement.index])


def repair(site: Site) -> Repair:
    """Return the change of the document's Version.

    Args:
        site: A statement that holds a variable.
    """
    depth = 2 if isinstance(site.pointer[-1], int) else 1
    op = "replace" if "Version" in site.whole else "add"
    change = Change(op, (*site.pointer[:-depth], "Version"), VARIABLES_SINCE)
    return Repair(
        "policy_version_without_variables",
        "Version",
        found(site),
        VARIABLES_SINCE,
        "The document's Version is "
        f"{found(site)}: there ${{…}} is only text, and the statement holds it as a variable.",
        f"Write Version {VARIABLES_SINCE} in the document.",
        (change,),
        cost=_COST,
    )
