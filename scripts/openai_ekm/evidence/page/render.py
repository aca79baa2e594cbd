"""Writes the page: values into the template, style and script under hashes of a policy."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from openai_ekm.evidence.page import access, palette, picture, summary, text, timeline, usage
from openai_ekm.evidence.page.reading import readable
from openai_ekm.evidence.page.shapes import Subject
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_NAME
from openai_ekm.proof.result import TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.evidence.controls import Control
    from openai_ekm.evidence.pack import Pack

__all__ = ["content_security_policy", "write_page"]

_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def write_page(pack: Pack) -> str:
    """Return the page of a pack: HTML that stands alone, the same for the same pack.

    Args:
        pack: What it shows; its text is not escaped yet.
    """
    pack = readable(pack)
    style, script = palette.css() + _part("page.css"), _part("page.js")
    found = access.ways(pack)
    seen = all(
        each.get("holds") is True for each in pack.proof.get("claims", ()) if each["id"] in "ac"
    )
    subject = _subject(pack.snapshot)
    return (
        _environment()
        .get_template("page.html")
        .render(
            pack=pack,
            policy=content_security_policy(style, script),
            style=style,
            script=script,
            subject=subject,
            lead=summary.lead(pack),
            tiles=summary.tiles(pack),
            ways=found,
            pictures=(
                picture.wide(subject, found, all_seen=seen),
                picture.narrow(subject, found, all_seen=seen),
            ),
            picture_words=picture.describe(found),
            usage=usage.usage(pack.usage),
            timeline=timeline.timeline(pack),
            anchors={each.path: f"document-{index}" for index, each in enumerate(pack.documents)},
            claim_titles=TITLES,
            frameworks=_frameworks(pack),
            absent={each.name for each in fields(pack) if not getattr(pack, each.name)},
        )
    )


def content_security_policy(style: str, script: str) -> str:
    """Return the policy of the page: nothing is loaded, and one style and one script apply.

    Source: https://www.w3.org/TR/CSP3/#grammardef-hash-source

    Args:
        style: The text of the style element.
        script: The text of the script element.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    """Return the template's environment: every value is made safe to show, then escaped."""
    environment = Environment(
        autoescape=True,
        finalize=text.shown,
        loader=FunctionLoader(_part),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "block": text.block,
        "capital": text.capital,
        "breakable": text.breakable,
        "count": text.count,
        "day": text.day,
        "file": _file,
        "listed": text.listed,
        "moment": text.moment,
        "name": text.name_of,
        "sentence": text.sentence,
        "shorten": text.shorten,
        "stamp": text.stamp,
    }
    environment.globals |= {
        "series_names": {**usage.SERIES, "failed": "Failed"},
        "state_words": {state.value: words for state, words in picture.STATE_WORDS.items()},
    }
    return environment


def _file(path: str) -> str | None:
    """Return the path of a file of the pack; None for what is no plain relative path."""
    return path if _FILE.fullmatch(path) else None


def _subject(snapshot: Mapping[str, Any]) -> Subject:
    registration = text.object_of(snapshot.get("registration"))
    role, key = (str(registration.get(name, "")) for name in ("role_arn", "kms_arn"))
    first = next((text.object_of(each) for each in snapshot.get("keys") or ()), {})
    real = str(first.get("arn") or key)
    parts = [*real.split(":"), *[""] * 6]
    state = str(first.get("state", "state not seen"))
    return Subject(
        openai=OPENAI_ROLE_NAME,
        openai_account=OPENAI_ACCOUNT,
        role=text.name_of(role).removeprefix("role/"),
        external_id=str(registration.get("external_id", "")),
        key=text.name_of(real).removeprefix("key/"),
        key_state=f"{state}, {parts[3]}" if parts[3] else state,
        account=parts[4],
    )


def _frameworks(pack: Pack) -> dict[str, list[tuple[str, Control]]]:
    """Return the controls of each framework, each with an id of the page."""
    found: dict[str, list[tuple[str, Control]]] = {}
    for index, each in enumerate(pack.controls):
        found.setdefault(each.framework, []).append((f"control-{index}", each))
    return found
