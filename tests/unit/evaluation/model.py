"""A second evaluator, naive on purpose: AWS's evaluation logic clause by clause, from raw JSON.

It shares no code with openai_ekm.evaluation, compiles nothing, and knows well-formed documents
only. Three values: True, False, and None for what AWS leaves open (which never allows).

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.unit.evaluation.model_conditions import (
    UNSAID,
    arn_like,
    condition,
    every,
    fill,
    folded,
    glob,
    listed,
    name_is_ascii,
    quote,
    small,
    some,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = Any


def model(case: Json) -> str:
    """Decide a case as its documents say; see the module."""
    request, policies = case["request"], case["policies"]
    who, action = request["principal"], request["action"]
    if who.endswith(":root") and action.startswith("sts:"):
        return "ImplicitlyDenied"  # "You cannot call AssumeRole by using root user credentials"
    context, possible = _context(request)
    boundary, session = policies.get("permissions_boundary"), policies.get("session")
    own = [*policies.get("identity", []), *filter(None, (boundary, session))]
    scps, rcps = policies.get("scps", []), policies.get("rcps", [])
    if not who.startswith("arn:"):
        scps = []  # SCPs affect users and roles of accounts, not services
    if action == "kms:RetireGrant":
        rcps = []  # "RCPs do not apply to kms:RetireGrant"
    if ":role/aws-service-role/" in context.get("aws:principalarn", ""):
        scps, rcps = [], []  # neither affects a service-linked role
    rcps = [[_nameless(document) for document in level] for level in rcps]
    guard = [document for level in [*scps, *rcps] for document in level]

    # An explicit deny in any of these policies overrides any allow.
    denies = [
        _applies(statement, document, request, context, policies)
        for document in [*own, *guard, *filter(None, [policies.get("resource")])]
        for statement in listed(document["Statement"])
        if statement["Effect"] == "Deny"
    ]
    if True in denies:
        return "ExplicitlyDenied"
    if None in denies or not possible or not _within_reach(request):
        return "ImplicitlyDenied"

    def allows(documents: Iterable[Json]) -> bool:
        return any(
            _applies(statement, document, request, context, policies) is True
            for document in documents
            for statement in listed(document["Statement"])
            if statement["Effect"] == "Allow"
        )

    # SCPs limit the principal's account, RCPs the resource's: every level must allow.
    if not all(allows(level) for level in [*scps, *rcps]):
        return "ImplicitlyDenied"
    granted = _granted(request, policies, context, allows)
    return "Allowed" if granted else "ImplicitlyDenied"


CROSS_ACCOUNT = re.compile(
    "kms:(Encrypt|Decrypt|ReEncrypt.*|GenerateDataKey.*|GenerateMac|VerifyMac|Sign|Verify"
    "|DeriveSharedSecret|CreateGrant|DescribeKey|GetKeyRotationStatus|GetPublicKey|ListGrants"
    "|RetireGrant|RevokeGrant)"
)


def _within_reach(request: Json) -> bool:
    """Whether permissions for such a request have any effect."""
    who, action, resource = request["principal"], request["action"], request["resource"]
    if not who.startswith("arn:"):
        return True
    if ":alias/aws/" in resource:
        return False  # "The alias/aws/ prefix is reserved for AWS managed key"
    if resource != "*" and resource.split(":")[1] != who.split(":")[1]:
        return False  # delegation stays within a partition
    if ":federated-user/" in who and action.startswith("sts:"):
        return False  # "Cannot call AWS STS operations except GetCallerIdentity"
    across = ":key/" in resource and resource.split(":")[4] != who.split(":")[4]
    return not across or CROSS_ACCOUNT.fullmatch(action) is not None


def _granted(
    request: Json, policies: Json, context: Json, allows: Callable[[Iterable[Json]], bool]
) -> bool:
    who = request["principal"]
    arn = who.startswith("arn:")
    boundary, session = policies.get("permissions_boundary"), policies.get("session")
    root = who.endswith(":root")
    limits = root or all(allows([document]) for document in (boundary, session) if document)
    identity = root or (allows(policies.get("identity", [])) and limits)
    if ":federated-user/" in who and not session:
        identity = False  # "the resulting session has no permissions"
    same = who.split(":")[4] == _owner(request) if arn else None

    # What has no key and no trust policy is decided by the caller's own policies.
    resource = request["resource"]
    if not re.search(":key/|:role/", resource):
        has_own = arn and "-provider/" not in who
        return has_own and identity and (same is True or resource == "*")

    # The key policy (or trust policy) must let the caller in, or a grant on the key.
    own = (same, limits, identity)
    document = policies.get("resource") or {"Statement": []}
    by_policy = any(
        _lets_in(_named(statement["Principal"], who, context), own)
        for statement in listed(document["Statement"])
        if statement["Effect"] == "Allow"
        and _applies(statement, document, request, context, policies)
    )
    return by_policy or any(
        _covers(grant, request, context) and _hands_to(grant, who, context, own)
        for grant in policies.get("grants", [])
    )


Own = tuple[bool | None, bool, bool]


def _lets_in(named: set[str], own: Own) -> bool:
    """Whether a statement that names the caller is enough, together with its own policies.

    Args:
        named: How it names the caller.
        own: Whether both are of one account (None: the caller has none); whether boundary and
            session policy allow; whether identity policies do, too.
    """
    same, limits, identity = own
    if not same:
        return same is None or identity
    direct = bool(named & {"itself", "everyone"}) or ("role" in named and limits)
    return direct or ("account" in named and identity)


def _hands_to(grant: Json, who: str, context: Json, own: Own) -> bool:
    """Whether a grant is to the caller, and nothing of its own stands against it."""
    same, limits, identity = own
    text = grant["grantee_principal"]
    kind = "Service" if text.endswith(".amazonaws.com") else "AWS"
    named = _named({kind: text}, who, context) - {"open"}
    if named & {"role", "itself"} and same and limits:
        return True
    return bool(named) and identity


def _owner(request: Json) -> str:
    """The account of the resource; empty when nothing says it."""
    if request["resource"] == "*":
        return str(request.get("resource_account", ""))
    account = request["resource"].split(":")[4]
    return account or str(request.get("resource_account", ""))


def _covers(grant: Json, request: Json, context: Json) -> bool:
    """Operation, key, and both kinds of constraint."""
    operation = request["action"].split(":")[1]
    if operation not in grant["operations"] or grant["key_arn"] != request["resource"]:
        return False
    if operation == "CreateGrant":  # only what was granted can be delegated
        asked = listed(context.get("kms:grantoperations", []))
        if not asked or not set(asked) <= set(grant["operations"]):
            return False
    constraints = grant.get("constraints", {})
    if not constraints or operation in ("DescribeKey", "RetireGrant"):
        return True
    if operation not in ("Encrypt", "Decrypt"):
        return False  # open: what constraints do to other operations
    pairs = {
        key.split(":", 2)[2]: str(value) if isinstance(value, int) else value
        for key, value in request["context"].items()
        if key.startswith("kms:EncryptionContext:")
    }
    if any(isinstance(value, list) for value in pairs.values()):
        return False
    equal = bool(constraints.get("EncryptionContextEquals", pairs) == pairs)
    return equal and constraints.get("EncryptionContextSubset", {}).items() <= pairs.items()


def _named(principal: Json, who: str, context: Json) -> set[str]:
    """Which ways a Principal element names the caller; `open` when that is not known."""
    if principal == "*":
        return {"everyone"}
    found = set()
    for kind, texts in principal.items():
        for text in listed(texts):
            if kind in ("Service", "Federated"):
                found |= {"itself"} if text == who else set()
            else:
                found.add(_aws(text, who, context))
    return found - {""}


def _aws(text: str, who: str, context: Json) -> str:  # noqa: PLR0911 - a return for each form
    """How one principal under AWS names the caller."""
    if text == "*":
        return "everyone"
    if not who.startswith("arn:") or "-provider/" in who:
        return ""
    partition, account = who.split(":")[1], who.split(":")[4]
    if text in (account, f"arn:{partition}:iam::{account}:root"):
        return "itself" if who.endswith(":root") else "account"
    if text.startswith("AROA"):
        user = context.get("aws:userid")
        if not isinstance(user, str) or user.split(":")[0] != text:
            return ""
        return "role" if _is_session(who) else "itself"
    if ":role/" in text:
        if not _is_session(who):
            return ""
        arn, head = context["role arn"], f"arn:{partition}:iam::{account}:role/"
        if text == arn:
            return "role"
        # The ARN of a session has no path: only aws:PrincipalArn says it.
        unknown = ":assumed-role/" in who and not context["path known"]
        ours = text.startswith(head) and text.rsplit("/", 1)[-1] == arn.rsplit("/", 1)[-1]
        return "open" if unknown and ours else ""
    if text == who:
        return "itself"
    # A federated user comes from some user of its account.
    of = ":federated-user/" in who and ":user/" in text and text.split(":")[4] == account
    return "open" if of else ""


def _is_session(who: str) -> bool:
    return ":assumed-role/" in who or ":role/" in who


def _context(request: Json) -> tuple[Json, bool]:
    """The request context with what follows from principal and resource, and whether it can be."""
    given = {
        small(key): [word(each) for each in value] if isinstance(value, list) else word(value)
        for key, value in request["context"].items()
    }
    who, service = request["principal"], request["action"].split(":")[0]
    follows: Json = {}
    known = True
    if not who.startswith("arn:"):
        follows = {"aws:principalisawsservice": "true", "aws:principalservicename": who}
    elif "-provider/" not in who:
        _, partition, _, _, account, name = who.split(":", 5)
        arn, stated = who, str(given.get("aws:principalarn"))
        if name.startswith("assumed-role/"):
            role = name.split("/")[1]
            head = f"arn:{partition}:iam::{account}:role/"
            known = stated.startswith(head) and stated.rsplit("/", 1)[-1] == role
            arn = stated if known else head + role
        follows = {"aws:principalarn": arn, "aws:principalaccount": account}
        follows["aws:principalisawsservice"] = "false"
        follows["aws:principaltype"] = {
            "assumed-role": "AssumedRole",
            "role": "AssumedRole",
            "user": "User",
            "federated-user": "FederatedUser",
            "root": "Account",
        }[name.split("/")[0]]
        if name.startswith("user/"):
            follows["aws:username"] = name.split("/")[-1]
        if name == "root":
            follows["aws:userid"] = account
        if service == "kms":
            follows["kms:calleraccount"] = account
    if _owner(request):
        follows["aws:resourceaccount"] = _owner(request)
    if service == "kms" and request["resource"] != "*":
        follows["aws:requestedregion"] = request["resource"].split(":")[3]
    possible = all(given.get(key, text) in (text, [text]) for key, text in follows.items())
    possible = possible and all(map(name_is_ascii, given))
    possible = possible and len(set(map(folded, given))) == len(given)
    hidden = {"role arn": follows.get("aws:principalarn"), "path known": known}
    return {**follows, **given, **hidden}, possible


def _nameless(document: Json) -> Json:
    """An RCP is about everyone, services included."""
    statements = listed(document["Statement"])
    bare = [{k: v for k, v in each.items() if k != "Principal"} for each in statements]
    return {**document, "Statement": bare}


def _applies(
    statement: Json, document: Json, request: Json, context: Json, policies: Json
) -> bool | None:
    """Whether a statement applies: action, resource, principal and every condition."""
    variables = document.get("Version") == "2012-10-17"
    action = request["action"].lower()
    if "Action" in statement:
        covered = any(glob(text.lower(), action) for text in listed(statement["Action"]))
    else:
        covered = not any(glob(text.lower(), action) for text in listed(statement["NotAction"]))
    if not covered:
        return False
    parts: list[bool | None] = [_resource(statement, request, context, variables=variables)]
    if statement.get("NotAction") == []:
        parts.append(None)  # "does not affect the policy", and yet everything is not excepted
    parts.append(_principal(statement, request, context, policies))
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            verdict = condition(operator, key, listed(values), context, variables=variables)
            if key == "aws:PrincipalArn" and verdict is ("Not" in operator):
                # Not met by a role without a path, but by one that has it, and which is not said.
                verdict = None if _of_path(listed(values), request, context) else verdict
            parts.append(verdict)
    return every(parts)


def _of_path(values: list[Json], request: Json, context: Json) -> bool:
    """Whether a value names the caller's role with some path before its name."""
    who = request["principal"]
    if context["path known"] or ":assumed-role/" not in who:
        return False
    _, partition, _, _, account, name = who.split(":", 5)
    role = f"arn:{partition}:iam::{account}:role/p/{name.split('/')[1]}"
    return any(glob(str(value), role) for value in values if ":role/p/" in str(value))


def _resource(statement: Json, request: Json, context: Json, *, variables: bool) -> bool | None:
    resource, excepting = request["resource"], "NotResource" in statement

    def covers(text: str) -> bool | None:
        if text == "*":
            return True
        if resource == "*":
            return _everywhere(text, request)
        filled = fill(text, context, like=True) if variables else quote(text)
        if filled is UNSAID:
            return None
        if filled is None:
            return None if excepting else False
        # AWS publishes a few that name no resource, or have a variable before the fifth colon;
        # nothing is said of them.
        if re.fullmatch("arn(:[^:]*){4}:", re.sub(r"\$\{[^}]*\}", "x", text)):
            return None if arn_like(f"{filled}.*", resource) else False
        early = variables and "${" in ":".join(text.split(":", 5)[:5])
        return (None if early else True) if arn_like(filled, resource) else False

    if not excepting and "Resource" not in statement:
        return True
    covered = some(map(covers, listed(statement["NotResource" if excepting else "Resource"])))
    if not excepting:
        return covered
    if covered:
        return False
    return None if covered is None or resource == "*" or not statement["NotResource"] else True


def _everywhere(text: str, request: Json) -> bool | None:
    """`arn:partition:kms:Region:account:*` stands for `*` where an action of KMS has no key."""
    who = request["principal"]
    if not who.startswith("arn:") or "${" in text:
        return False
    _, partition, service, region, account, rest = text.split(":", 5)
    fits = (partition, service, rest) == (who.split(":")[1], "kms", "*")
    if not fits or account not in ("*", who.split(":")[4]):
        return False
    return True if region == "*" else None  # the request does not say its Region


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
        if who.endswith(":root") or not who.startswith("arn:") or "-provider/" in who:
            return "itself" not in named
        # "AWS might validate the account first, then the role, and then the assumed-role user"
        if {"account", "itself"} | ({"role"} if _is_session(who) else set()) <= named:
            return False
        return None if named else True
    if "Principal" not in statement:
        return True
    named = _named(statement["Principal"], who, context)
    certain = named - {"open"}
    if certain == {"everyone"} and statement["Effect"] == "Allow":
        # Whether everyone includes a service or a provider is not said.
        return None if not who.startswith("arn:") or "-provider/" in who else True
    return True if certain else (None if named else False)
