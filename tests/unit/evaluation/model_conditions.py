"""The model's conditions, texts and values, clause by clause; True, False and None as in model.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = Any


def word(value: Json) -> str:
    """A value as a policy compares it: true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def small(text: str) -> str:
    """A key's name: the case of ASCII letters does not matter, that of others is not defined."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def name_is_ascii(key: str) -> bool:
    """Whether all is ASCII but the key of a tag or of an encryption context."""
    found = re.match("[^:]*:[^:/]*", key)
    return (found.group() if found else key).isascii()


def doubtful(key: str, context: Json) -> bool:
    """Whether no key has such a name, or the request has one that only Unicode folds to it."""
    key = small(key)
    if not name_is_ascii(key):
        return True
    if context.get(key) is not None:
        return False
    return any(folded(each) == folded(key) for each in context)


def folded(text: str) -> str:
    """The same for letters that some reading of Unicode's case takes for the same."""
    return text.replace("\u0130", "i").casefold().upper().casefold()


def listed(value: Json) -> list[Json]:
    """A scalar is a list of one."""
    return value if isinstance(value, list) else [value]


def every(parts: Iterable[bool | None]) -> bool | None:
    """Whether all are true; a false one decides before an open one."""
    found = list(parts)
    return False if False in found else (None if None in found else True)


def some(parts: Iterable[bool | None]) -> bool | None:
    """Whether one is true; it decides before an open one."""
    found = list(parts)
    return True if True in found else (None if None in found else False)


def condition(  # noqa: C901, PLR0911 - the clauses in one place, as the page has them
    operator: str, key: str, values: list[Json], context: Json, *, variables: bool
) -> bool | None:
    """Whether a key of the request meets one operator's values."""
    wanted = [word(v) for v in values]
    if doubtful(key, context):
        return None
    found = context.get(small(key))
    missing = found is None or found == []
    hollow = found == "" or (bool(found) and set(found) == {""})  # a null data set, or not
    quantifier, _, rest = operator.rpartition(":")
    if_exists = rest.endswith("IfExists")
    base = rest.removesuffix("IfExists")
    if base == "Null":
        if quantifier or not wanted:
            return None
        return some(_null(text, missing=missing, hollow=hollow) for text in wanted)
    negated = "Not" in base
    positive = base.replace("Not", "")

    if not wanted:  # as Access Analyzer's page has it
        if quantifier == "ForAnyValue" and not if_exists:
            return False
        if quantifier == "ForAllValues" or (if_exists and not quantifier):
            return True if missing else (None if hollow else False)
        return None

    def one(value: str) -> bool | None:
        hit = some(_match(positive, text, value, context, variables=variables) for text in wanted)
        return None if hit is None else hit is not negated

    if not quantifier:
        if isinstance(found, list) and len(found) > 1:
            return None
        return (if_exists or negated) if missing else one(listed(found)[0])
    if found is None:
        return if_exists or quantifier == "ForAllValues"
    if missing and if_exists and quantifier == "ForAnyValue":
        return None
    results = [one(value) for value in listed(found)]
    verdict = every(results) if quantifier == "ForAllValues" else some(results)
    if hollow and verdict is not (quantifier == "ForAllValues"):
        return None
    return verdict


def _null(text: str, *, missing: bool, hollow: bool) -> bool | None:
    if text not in ("true", "false"):
        return None
    if missing:
        return text == "true"
    return None if hollow else text == "false"


def _match(positive: str, text: str, value: str, context: Json, *, variables: bool) -> bool | None:
    """Whether one value of the request meets one value of the policy."""
    if not positive.startswith(("String", "Arn")):
        return _typed(positive, text, value)
    like = positive == "StringLike" or positive.startswith("Arn")
    filled = fill(text, context, like=like) if variables else quote(text)
    if filled is UNSAID:
        return None
    return False if filled is None else _text(positive, filled, value)


def _text(positive: str, pattern: str, value: str) -> bool | None:
    """`pattern` is regular: literal parts escaped, wildcards as `.*` and `.`."""
    if positive == "StringLike":
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    if positive in ("ArnEquals", "ArnLike"):
        if pattern.count(":") < SEGMENTS - 1 or not re.match("arn(:[^:]*){4}:", value):
            return None  # what is no ARN
        return arn_like(pattern, value)
    plain = pattern.replace(".*", "*") if ".*" in pattern else pattern
    plain = re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\.(?!\*)", "?", plain), flags=re.DOTALL)
    if positive == "StringEquals" or plain == value:
        return plain == value
    if (plain + value).isascii():
        return plain.lower() == value.lower()
    return None if folded(plain) == folded(value) else False


SEGMENTS = 6


def _typed(positive: str, text: str, value: str) -> bool | None:
    try:
        if positive.startswith("Numeric"):
            return _order(positive.removeprefix("Numeric"), _number(value), _number(text))
        if positive.startswith("Date"):
            return _order(positive.removeprefix("Date"), _instant(value), _instant(text))
        if positive == "Bool":
            truth = {"true": True, "false": False}
            return truth[value.lower()] is truth[text.lower()]
        if positive == "BinaryEquals":
            return base64.b64decode(value, validate=True) == base64.b64decode(text, validate=True)
        return _within(value, text)
    except (ValueError, KeyError):
        return None


def _number(text: str) -> float:
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError(text)
    return float(text)


def _instant(text: str) -> float:
    """A W3C profile of ISO 8601, or seconds since 1970; four digits may be either."""
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) and not re.fullmatch("[0-9]{4}", text):
        return float(text)
    if re.fullmatch("[0-9]{4}-[0-9]{2}", text):
        text += "-01"
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        text += "T00:00:00Z"
    read = dt.datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    return read.timestamp()


def _within(value: str, text: str) -> bool | None:
    if "/" in text and not re.fullmatch("0|[1-9][0-9]*", text.split("/")[1]):
        raise ValueError(text)
    address, network = ipaddress.ip_address(value), ipaddress.ip_network(text, strict=False)
    if value.startswith("::ffff:") or text.startswith("::ffff:"):
        return None  # IPv4 written as IPv6
    if address in network:
        return True
    # "If you specify an IP address without the prefix, IAM uses the default of /32."
    wide = "/" not in text and ":" in text
    return None if wide and address in network.supernet(new_prefix=32) else False


def _order(name: str, left: float, right: float) -> bool:
    return {
        "Equals": left == right,
        "LessThan": left < right,
        "LessThanEquals": left <= right,
        "GreaterThan": left > right,
        "GreaterThanEquals": left >= right,
    }[name]


def quote(text: str) -> str:
    """A pattern as a regular expression."""
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text)


UNSAID = "a variable whose key has several values, or a default that may be a pattern"


def fill(text: str, context: Json, *, like: bool) -> str | None:
    """A pattern with variables as a regular expression; None when one has no value."""
    done = ""
    for part in re.split(r"(\$\{[^}]*\})", text):
        if not part.startswith("${"):
            done += quote(part)
        elif part[2:-1] in ("*", "?", "$"):
            done += re.escape(part[2:-1])
        else:
            name, _, default = part[2:-1].partition(", ")
            value = context.get(small(name), default.strip("'") if default else None)
            if isinstance(value, list) or doubtful(name, context):
                return UNSAID
            # The page has no word on a "*" in a default where wildcards have a meaning.
            if like and small(name) not in context and set(default) & set("*?"):
                return UNSAID
            if value is None:
                return None
            done += re.escape(value)
    return done


def glob(pattern: str, text: str) -> bool:
    """Whether a text is like a pattern, as a whole."""
    return re.fullmatch(quote(pattern), text, re.DOTALL) is not None


def arn_like(pattern: str, text: str) -> bool:
    """Segment by segment; a regular pattern has its colons as they are."""
    ours, theirs = pattern.split(":", 5), text.split(":", 5)
    return len(ours) == len(theirs) == SEGMENTS and all(
        re.fullmatch(a, b, re.DOTALL) for a, b in zip(ours, theirs, strict=True)
    )
