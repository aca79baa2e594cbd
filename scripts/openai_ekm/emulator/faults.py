"""Faults that a test asks for: failures of OpenAI's API, or of the network before it.

A fault is written `NAME`, `NAME=TIMES`, or with details, `NAME=TIMES,on=POST /organization/…`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from openai_ekm.errors import BadInput

__all__ = ["FAULTS", "Fault", "Faults", "parse_fault"]

# Name -> what happens. `times` counts how often; absent means until it is switched off.
FAULTS: Final[Mapping[str, str]] = {
    "lost-before-commit": "The connection breaks; nothing happened.",
    "lost-after-commit": "The request is carried out; the connection breaks before the answer.",
    "rate-limited": "429 with Retry-After (`seconds`, 1 unless given); nothing happened.",
    "rate-limited-bare": "429 without Retry-After; nothing happened.",
    "server-error": "5xx (`status`, 500 unless given); nothing happened.",
    "server-error-after-commit": "5xx (`status`, 500 unless given) after it was carried out.",
    "proxy-page": "HTML of a proxy (`status`, 502 unless given); nothing happened.",
    "proxy-page-after-commit": "The same after it was carried out.",
    "redirect": "302 to another host; nothing happened.",
    "status-201": "A success is answered with 201 instead of 200.",
    "slow": "The answer comes `seconds` later (2 unless given).",
    "broken-json": "The answer's body is not JSON.",
    "truncated": "The answer breaks off in the middle of its body.",
    "feature-off": "404 `Unsupported endpoint` from the external-key endpoints.",
    "second-shape": "Errors are a bare string under `error`.",
    "error-absent": "Errors have no member `error`.",
    "missing-scope": "The admin key lacks the scope that the endpoint needs.",
    "invalid-key": "401: the admin key is not accepted.",
    "incorrect-hostname": "401 `incorrect_hostname`: another regional host serves this key.",
    "ip-not-authorized": "401 `ip_not_authorized`: the IP allowlist does not name the caller.",
    "certificate-required": "401: mutual TLS is on, and no client certificate was shown.",
    "insufficient-quota": "429 `insufficient_quota`, without Retry-After: waiting does not help.",
    "eventual-lists": "Lists and reads do not see the last `seconds` (60 unless given).",
}
_WHERE_ONLY: Final = {"feature-off": "/organization/external_keys"}
_METHODS: Final = ("GET", "POST", "DELETE", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that is switched on.

    Args:
        name: A name of `FAULTS`.
        times: How often it still happens; `None` means until it is switched off.
        on: `METHOD PATH`, `METHOD` or `PATH` it is limited to; a path matches itself and what is
            below it, with or without `/v1`.
        seconds: Delay of `slow`, Retry-After of `rate-limited`, blindness of `eventual-lists`.
        status: Status of `server-error` and `proxy-page`.
    """

    name: str
    times: int | None = None
    on: str | None = None
    seconds: float | None = None
    status: int | None = None

    def applies_to(self, method: str, path: str) -> bool:
        """Return whether the fault is for a call of the API."""
        path = path.removeprefix("/v1")
        if not path.startswith(_WHERE_ONLY.get(self.name, "")):
            return False
        if self.on is None:
            return True
        wanted_method, _, wanted_path = self.on.strip().rpartition(" ")
        if wanted_path.upper() in _METHODS:
            wanted_method, wanted_path = wanted_path, ""
        wanted_path = wanted_path.removeprefix("/v1").rstrip("/")
        below = path == wanted_path or path.startswith(f"{wanted_path}/")
        return (not wanted_method or wanted_method.upper() == method) and below

    def as_json(self) -> dict[str, Any]:
        """Return the fault without what was not said."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Faults:
    """The faults that are switched on; counted down as they happen."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Switch on exactly these."""
        with self._lock:
            self._faults = list(faults)

    def current(self) -> list[Fault]:
        """Return what is switched on."""
        with self._lock:
            return list(self._faults)

    def take(self, method: str, path: str) -> dict[str, Fault]:
        """Return the faults of one call by name, and count them."""
        taken: dict[str, Fault] = {}
        with self._lock:
            remaining: list[Fault] = []
            for fault in self._faults:
                if fault.name in taken or not fault.applies_to(method, path):
                    remaining.append(fault)
                    continue
                taken[fault.name] = fault
                if fault.times is None:
                    remaining.append(fault)
                elif fault.times > 1:
                    members = {**asdict(fault), "times": fault.times - 1}
                    remaining.append(Fault(**members))
            self._faults = remaining
        return taken


def parse_fault(text: str) -> Fault:
    """Read `NAME[=TIMES][,on=…][,seconds=…][,status=…]`.

    Raises:
        BadInput: `fault_unknown` or `fault_value`, naming value and valid ones.
    """
    head, *details = text.split(",")
    name, equals, times = head.partition("=")
    members: dict[str, Any] = {"times": times} if equals else {}
    for detail in details:
        key, equals, value = detail.partition("=")
        if not equals:
            raise _bad_value(text, f"{detail!r} is not NAME=VALUE")
        members[key.strip()] = value.strip()
    return make_fault(name, members)


def parse_faults(body: Any) -> list[Fault]:
    """Read what the control surface takes.

    Args:
        body: A list of texts or objects, an object with `faults` holding one, or an object of
            name to `true`, a number of times, a text of details, or an object.

    Raises:
        BadInput: `fault_unknown` or `fault_value`.
    """
    if isinstance(body, Mapping) and isinstance(body.get("faults"), list | Mapping):
        body = body["faults"]
    if isinstance(body, list):
        return [_of_item(item) for item in body]
    if isinstance(body, Mapping):
        return [_of_pair(name, value) for name, value in body.items() if value is not False]
    raise _bad_value(repr(body), "it is neither a list nor an object")


def _of_item(item: Any) -> Fault:
    if isinstance(item, str):
        return parse_fault(item)
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        return make_fault(item["name"], {k: v for k, v in item.items() if k != "name"})
    raise _bad_value(repr(item), "it has no name")


def _of_pair(name: str, value: Any) -> Fault:
    if value is True or value is None:
        return make_fault(name, {})
    if isinstance(value, str):
        return parse_fault(f"{name}={value}")
    return make_fault(name, value if isinstance(value, Mapping) else {"times": value})


def make_fault(name: str, members: Mapping[str, Any]) -> Fault:
    """Return a fault from a name and untyped members.

    Raises:
        BadInput: `fault_unknown` or `fault_value`.
    """
    name = name.strip().replace("_", "-")
    if name not in FAULTS:
        raise BadInput(
            "fault_unknown",
            f"There is no fault {name!r}.",
            at_fault=name,
            remedy=f"Faults: {', '.join(FAULTS)}.",
        )
    readers = {"times": _positive, "on": _target, "seconds": _seconds, "status": _status}
    read: dict[str, Any] = {}
    for key, value in members.items():
        if key not in readers:
            raise _bad_value(f"{name}: {key}", f"{key!r} is none of {', '.join(readers)}")
        if value is not None:
            try:
                read[key] = readers[key](value)
            except (TypeError, ValueError, OverflowError) as error:
                raise _bad_value(f"{name}: {key}={value}", str(error)) from None
    return Fault(name, **read)


def _positive(value: Any) -> int:
    number = int(value)
    if number < 1 or number != float(value):
        raise ValueError("times is a whole number from 1")
    return number


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 3600:  # noqa: PLR2004 - an hour is longer than any client waits
        raise ValueError("seconds is a number from 0 to 3600")
    return number


def _status(value: Any) -> int:
    number = int(value)
    if not 500 <= number <= 599:  # noqa: PLR2004 - the 5xx range of HTTP
        raise ValueError("status is a number from 500 to 599")
    return number


def _target(value: Any) -> str:
    text = str(value).strip()
    if "/" not in text and text.upper() not in _METHODS:
        raise ValueError("on is `METHOD /path`, `/path` or a method")
    return text


def _bad_value(what: str, why: str) -> BadInput:
    return BadInput(
        "fault_value",
        f"The fault {what} cannot be read: {why}.",
        at_fault=what,
        remedy="Write NAME, NAME=TIMES, or NAME=TIMES,on=POST /organization/projects,seconds=2; "
        "without TIMES: NAME,seconds=2.",
    )
