"""A second evaluator, naive on purpose: AWS's evaluation logic clause by clause, from raw JSON.

It shares no code with ekm.evaluation, compiles nothing, and knows well-formed documents only.
Three values: True, False, and None for what AWS leaves open (which never allows).

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = Any


def model(case: Json) -> str:
    """Decide a case as its documents say; see the module."""
    request, policies = case["request"], case["policies"]
    context = _context(request, policies)
    boundary, session = policies.get("permissions_boundary"), policies.get("session")
    own = [*policies.get("identity", []), *filter(None, (boundary, session))]
    service = not request["principal"].startswith("arn:")
    scps = [] if service else policies.get("scps", [])
    rcps = [[_nameless(document) for document in level] for level in policies.get("rcps", [])]
    resource = policies.get("resource")
    guard = [document for level in [*scps, *rcps] for document in level]

    # An explicit deny in any of these policies overrides any allow.
    denies = [
        _applies(statement, document, request, context, policies)
        for document in [*own, *guard, *filter(None, [resource])]
        for statement in _list(document["Statement"])
        if statement["Effect"] == "Deny"
    ]
    if True in denies:
        return "ExplicitlyDenied"
    if None in denies:
        return "ImplicitlyDenied"

    def allows(documents: Iterable[Json]) -> bool:
        return any(
            _applies(statement, document, request, context, policies) is True
            for document in documents
            for statement in _list(document["Statement"])
            if statement["Effect"] == "Allow"
        )

    # SCPs limit the principal's account, RCPs the resource's: every level must allow.
    if not all(allows(level) for level in [*scps, *rcps]):
        return "ImplicitlyDenied"
    granted = _granted(request, policies, context, allows)
    return "Allowed" if granted else "ImplicitlyDenied"


def _granted(
    request: Json, policies: Json, context: Json, allows: Callable[[Iterable[Json]], bool]
) -> bool:
    who, account = request["principal"], request["resource"].split(":")[4]
    boundary, session = policies.get("permissions_boundary"), policies.get("session")
    root = who.endswith(":root")
    limits = root or all(allows([document]) for document in (boundary, session) if document)
    identity = root or (allows(policies.get("identity", [])) and limits)
    same = who.split(":")[4] == account if who.startswith("arn:") else None

    # The key policy (or trust policy) must let the caller in; how depends on what it names.
    document = policies.get("resource") or {"Statement": []}
    for statement in _list(document["Statement"]):
        if statement["Effect"] == "Deny":
            continue
        if _applies(statement, document, request, context, policies) is not True:
            continue
        named = _named(statement["Principal"], who, context)
        direct = named & {"itself", "everyone"} or ("role" in named and limits)
        if same is None or (same is False and identity):
            return True
        if same and (direct or ("account" in named and identity)):
            return True

    # Grants are the other route to a key.
    for grant in policies.get("grants", []):
        named = _named({"AWS": grant["grantee_principal"]}, who, context)
        if not _covers(grant, request):
            continue
        if named & {"role", "itself"} and same and limits:
            return True
        if named and identity:
            return True
    return False


def _covers(grant: Json, request: Json) -> bool:
    """Operation, key, and both kinds of constraint."""
    pairs = {
        key.split(":", 2)[2]: value
        for key, value in request["context"].items()
        if key.startswith("kms:EncryptionContext:")
    }
    constraints = grant.get("constraints", {})
    return (
        request["action"].split(":")[1] in grant["operations"]
        and grant["key_arn"] == request["resource"]
        and constraints.get("EncryptionContextEquals", pairs) == pairs
        and constraints.get("EncryptionContextSubset", {}).items() <= pairs.items()
    )


def _named(principal: Json, who: str, context: Json) -> set[str]:
    """Which ways a Principal element names the caller."""
    if principal == "*":
        return {"everyone"}
    found = set()
    for kind, texts in principal.items():
        for text in _list(texts):
            if kind == "Service":
                found |= {"itself"} if text == who else set()
            elif text == "*":
                found.add("everyone")
            elif who.startswith("arn:") and text in (
                who.split(":")[4],
                f"arn:aws:iam::{who.split(':')[4]}:root",
            ):
                found.add("itself" if who.endswith(":root") else "account")
            elif ":role/" in text and _is_session(who) and text == context["aws:principalarn"]:
                found.add("role")
            elif ":role/" not in text and text == who:
                found.add("itself")
    return found


def _is_session(who: str) -> bool:
    return ":assumed-role/" in who or ":role/" in who


def _context(request: Json, policies: Json) -> Json:
    """The request context, and what follows from principal and resource."""
    context = {key.lower(): value for key, value in request["context"].items()}
    who = request["principal"]
    if who.startswith("arn:"):
        account = who.split(":")[4]
        arn = who
        if ":assumed-role/" in who:
            arn = f"arn:aws:iam::{account}:role/{who.split('/')[1]}"
        context.setdefault("aws:principalarn", arn)
        context.setdefault("aws:principalaccount", account)
        if request["action"].startswith("kms:"):
            context.setdefault("kms:calleraccount", account)
    context.setdefault("aws:resourceaccount", request["resource"].split(":")[4])
    return context


def _nameless(document: Json) -> Json:
    """An RCP is about everyone, services included."""
    statements = _list(document["Statement"])
    bare = [{k: v for k, v in each.items() if k != "Principal"} for each in statements]
    return {**document, "Statement": bare}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _applies(
    statement: Json, document: Json, request: Json, context: Json, policies: Json
) -> bool | None:
    """Whether a statement applies: action, resource, principal and every condition."""
    variables = document.get("Version") == "2012-10-17"
    action = request["action"].lower()
    if "Action" in statement:
        covered = any(_glob(text.lower(), action) for text in _list(statement["Action"]))
    else:
        covered = not any(_glob(text.lower(), action) for text in _list(statement["NotAction"]))
    if not covered:
        return False
    parts: list[bool | None] = [_resource(statement, request, context, variables=variables)]
    parts.append(_principal(statement, request, context, policies))
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            parts.append(_condition(operator, key, _list(values), context, variables=variables))
    if False in parts:
        return False
    return None if None in parts else True


def _resource(statement: Json, request: Json, context: Json, *, variables: bool) -> bool | None:
    def covers(text: str) -> bool:
        filled = _fill(text, context) if variables else _quote(text)
        return text == "*" or (filled is not None and _arn(filled, request["resource"]))

    if "Resource" in statement:
        return any(covers(text) for text in _list(statement["Resource"]))
    if "NotResource" in statement:
        return not any(covers(text) for text in _list(statement["NotResource"]))
    return True


def _principal(  # noqa: PLR0911 - a return for each clause
    statement: Json, request: Json, context: Json, policies: Json
) -> bool | None:
    who = request["principal"]
    if "NotPrincipal" in statement:
        if policies.get("permissions_boundary"):
            return True
        named = _named(statement["NotPrincipal"], who, context)
        if "everyone" in named:
            return False
        if who.endswith(":root") or not who.startswith("arn:"):
            return not named
        own = {"role" if _is_session(who) else "itself", "account"}
        if own <= named:
            return False
        return None if named else True
    if "Principal" not in statement:
        return True
    named = _named(statement["Principal"], who, context)
    if named == {"everyone"} and not who.startswith("arn:") and statement["Effect"] == "Allow":
        return None  # whether everyone includes a service is not said
    return bool(named)


def _condition(  # noqa: C901 - the clauses in one place, as the page has them
    operator: str, key: str, values: list[Json], context: Json, *, variables: bool
) -> bool | None:
    wanted = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    found = context.get(key.lower())
    if operator == "Null":
        return any((text == "true") == (found is None or found == []) for text in wanted)
    quantifier, _, rest = operator.rpartition(":")
    if_exists = rest.endswith("IfExists")
    base = rest.removesuffix("IfExists")
    negated = "Not" in base
    positive = base.replace("Not", "")

    def one(value: str) -> bool | None:
        hits: list[bool | None] = []
        for text in wanted:
            if positive.startswith(("String", "Arn")):
                filled = _fill(text, context) if variables else _quote(text)
                hits.append(filled is not None and _text(positive, filled, value))
            else:
                hits.append(_typed(positive, text, value))
        if True in hits:
            return not negated
        return None if None in hits else negated

    if not quantifier:
        if isinstance(found, list):
            if len(found) > 1:
                return None
            found = found[0] if found else None
        return (if_exists or negated) if found is None else one(found)
    if found is None:
        return if_exists or quantifier == "ForAllValues"
    results = [one(value) for value in _list(found)]
    if quantifier == "ForAllValues":
        return False if False in results else (None if None in results else True)
    return True if True in results else (None if None in results else False)


def _text(positive: str, pattern: str, value: str) -> bool:
    """`pattern` is regular: literal parts escaped, wildcards as `.*` and `.`, text in groups."""
    if positive == "StringLike":
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    if positive in ("ArnEquals", "ArnLike"):
        return _arn(pattern, value)
    plain = pattern.replace(".*", "*") if ".*" in pattern else pattern
    plain = re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\.(?!\*)", "?", plain), flags=re.DOTALL)
    if positive == "StringEqualsIgnoreCase":
        return plain.lower() == value.lower()
    return plain == value


def _typed(positive: str, text: str, value: str) -> bool | None:
    try:
        if positive.startswith("Numeric"):
            return _order(positive.removeprefix("Numeric"), float(value), float(text))
        if positive.startswith("Date"):
            left, right = (dt.datetime.fromisoformat(t) for t in (value, text))
            return _order(positive.removeprefix("Date"), left.timestamp(), right.timestamp())
        if positive == "Bool":
            return {"true": True, "false": False}[value] == {"true": True, "false": False}[text]
        return ipaddress.ip_address(value) in ipaddress.ip_network(text, strict=False)
    except (ValueError, KeyError):
        return None


def _order(name: str, left: float, right: float) -> bool:
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[name]


def _quote(text: str) -> str:
    """A pattern as a regular expression."""
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text)


def _fill(text: str, context: Json) -> str | None:
    """A pattern with variables as a regular expression; None when one has no value."""
    done = ""
    for part in re.split(r"(\$\{[^}]*\})", text):
        if not part.startswith("${"):
            done += _quote(part)
        elif part[2:-1] in ("*", "?", "$"):
            done += re.escape(part[2:-1])
        else:
            name, _, default = part[2:-1].partition(", ")
            value = context.get(name.lower(), default.strip("'") if default else None)
            if not isinstance(value, str):
                return None
            done += re.escape(value)
    return done


def _glob(pattern: str, text: str) -> bool:
    return re.fullmatch(_quote(pattern), text, re.DOTALL) is not None


def _arn(pattern: str, text: str) -> bool:
    """Segment by segment; a regular pattern has its colons as they are."""
    ours, theirs = pattern.split(":", 5), text.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(
        re.fullmatch(a, b, re.DOTALL) for a, b in zip(ours, theirs, strict=True)
    )
