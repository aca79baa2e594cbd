"""Which policies test the tag that a test sets: there it would change who may use the key.

A policy tests it by the condition key `aws:ResourceTag/<name>`, or has its value as a policy
variable of that name. Both are found by the name: AWS takes no variable in it, and does not
distinguish capital letters in names of condition keys.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:ResourceTag)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.monitoring.message import TAG
from openai_ekm.policy.tested_tags import texts_in
from openai_ekm.snapshot import UNSEEN, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["policies_that_test_the_tag", "unseen_policies"]

_TESTED: Final = f"aws:resourcetag/{TAG}"


def policies_that_test_the_tag(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the policies of role and key whose answer the tag could change, by their names."""
    return tuple(name for name, document in _documents(snapshot) if _tests(document))


def unseen_policies(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the policies of role and key that could not be read, by their names."""
    found = [name for name, document in _documents(snapshot) if document is UNSEEN]
    if snapshot.role is UNSEEN:
        found.append("the role's policies")
    return tuple(found)


def _documents(snapshot: Snapshot) -> Iterator[tuple[str, Any]]:
    """Yield each policy of role and key with its name; unseen ones too."""
    if snapshot.keys is UNSEEN:
        yield "the key policy", UNSEEN
    else:
        for key in snapshot.keys:
            yield "the key policy", key.policy
    role = snapshot.role
    if not isinstance(role, Role):
        return
    yield "the role's trust policy", role.trust_policy
    yield "the role's permissions boundary", role.permissions_boundary
    if role.permission_policies is UNSEEN:
        yield "the role's identity policies", UNSEEN
    else:
        for each in role.permission_policies:
            yield f"the role's policy {each.name}", each.document


def _tests(document: Any) -> bool:
    if isinstance(document, str):  # a policy as text
        try:
            document = read_json(document)
        except UnreadableJsonError:
            return _TESTED in document.lower()
    return any(_TESTED in text.lower() for text in texts_in(document))
