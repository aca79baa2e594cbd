"""The layer of policies that refuses a call: the first, in AWS's order, that does not allow it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation import Outcome, decide
from openai_ekm.policy import ALLOW_ALL, MalformedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_ekm.evaluation import Policies, Request
    from openai_ekm.evaluation.policies import NamedDocument, PreparedPolicies
    from openai_ekm.openai_calls.call_decisions import Asked

__all__ = ["documents_by_layer", "how_far", "refusing_kind", "refusing_layer"]


def refusing_kind(request: Request, policies: Policies) -> str:
    """Name the kind of policy that AWS says does not allow a use of the key.

    AWS looks at organization policies first, then at the key policy, the identity policies and
    the permissions boundary. A kind is lacking if nothing is left before it once it is put right.

    Args:
        request: A request that was implicitly denied.
        policies: What it was decided by.

    Returns:
        `rcps`, `scps`, `resource`, `identity` or `permissions_boundary`.
    """
    open_handed = replace(
        policies, identity=(*policies.identity, ALLOW_ALL), permissions_boundary=None
    )
    key_policy_alone = replace(open_handed, scps=(), rcps=())
    if not decide(request, key_policy_alone).allowed:
        return "resource"
    if not decide(request, replace(open_handed, scps=())).allowed:
        return "rcps"
    if not decide(request, open_handed).allowed:
        return "scps"
    if not decide(request, replace(policies, permissions_boundary=None)).allowed:
        return "identity"
    return "permissions_boundary"


def how_far(asked: Asked) -> tuple[str, ...]:
    """Return how far a call gets: the layer that refuses it, and the level of that layer.

    Args:
        asked: The call; of one that is not implicitly denied, the outcome says it all.
    """
    if asked.decision.outcome is not Outcome.IMPLICITLY_DENIED:
        return (str(asked.decision.outcome),)
    try:
        prepared = asked.policies.prepare(asked.request.action)
    except MalformedPolicy:
        return ("error",)
    layer, _, level = refusing_layer(asked, prepared)
    return layer, str(level)


def refusing_layer(
    asked: Asked, prepared: PreparedPolicies
) -> tuple[str, Sequence[NamedDocument], int | None]:
    """Return the layer that does not allow, its documents, and its level of guardrails.

    Args:
        asked: A call that was implicitly denied.
        prepared: What it was decided by, read.
    """
    layer = "resource"
    if asked.request.action.startswith("kms:"):
        layer = refusing_kind(asked.request, asked.policies)
    elif asked.policies.rcps and decide(asked.request, replace(asked.policies, rcps=())).allowed:
        layer = "rcps"
    if layer in {"scps", "rcps"}:
        levels = prepared.scps if layer == "scps" else prepared.rcps
        for index, documents in enumerate(levels):
            if not _level_allows(asked, layer, index):
                return layer, documents, index
        return layer, (), 0
    return layer, [named for name, named in documents_by_layer(prepared) if name == layer], None


def _level_allows(asked: Asked, layer: str, index: int) -> bool:
    """Return whether one level of organization policies allows, the other levels aside."""
    kept = getattr(asked.policies, layer)[index]
    alone = replace(
        asked.policies,
        scps=(),
        rcps=(),
        identity=(*asked.policies.identity, ALLOW_ALL),
        permissions_boundary=None,
    )
    one = replace(alone, scps=(kept,)) if layer == "scps" else replace(alone, rcps=(kept,))
    return decide(asked.request, one).allowed


def documents_by_layer(prepared: PreparedPolicies) -> Iterator[tuple[str, NamedDocument]]:
    """Yield every document that bears on a call, with the layer it is of."""
    for each in prepared.identity:
        yield "identity", each
    if prepared.resource is not None:
        yield "resource", prepared.resource
    if prepared.permissions_boundary is not None:
        yield "permissions_boundary", prepared.permissions_boundary
    for layer in ("scps", "rcps"):
        for level in getattr(prepared, layer):
            for each in level:
                yield layer, each
