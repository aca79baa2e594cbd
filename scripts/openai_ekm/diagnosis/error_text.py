"""Find the causes of an error text that OpenAI returned; a snapshot rules some of them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import ARN_OF_KEY_IN_TEXT
from openai_ekm.errors import BadInput
from openai_ekm.openai_api.aws_error_texts import find_customer_role, find_error_text
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.diagnosis.result import Diagnosis
    from openai_ekm.openai_api.aws_error_texts import AwsErrorText, Cause
    from openai_ekm.snapshot import Snapshot

__all__ = ["NOTHING_SEEN", "Read", "read_error_text"]

# The diagnosis when there was no snapshot to judge.
NOTHING_SEEN: Final[Mapping[str, Any]] = {
    "outcome": None,
    "decisions": {"sts:AssumeRole": None, "kms:Encrypt": None, "kms:Decrypt": None},
    "message": "",
    "faults": [],
    "warnings": [],
    "unseen": ["role", "keys", "aliases", "grants", "scps", "rcps"],
    "unseen_reasons": {},
}


@dataclass(frozen=True, slots=True)
class Read:
    """The meaning of an error text.

    Args:
        outcome: The outcome that such a text belongs to.
        meaning: One sentence.
        causes: The likeliest first; those that a snapshot rules out are left away.
        note: What the snapshot says to it.
    """

    outcome: str
    meaning: str
    causes: tuple[Cause, ...]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it, under `error`."""
        return {
            "outcome": self.outcome,
            "meaning": self.meaning,
            "causes": [
                {"document": c.document, "message": c.message, "check": c.check}
                for c in self.causes
            ],
            "note": self.note,
        }


def read_error_text(text: str, found: Diagnosis | None, snapshot: Snapshot | None) -> Read:
    """Say what an error text means.

    Args:
        text: What OpenAI answered, with or without a prefix.
        found: The diagnosis of a snapshot, if there is one.
        snapshot: That snapshot.

    Raises:
        BadInput: The text is none of AWS's that are known.
    """
    row = find_error_text(text)
    if row is None:
        raise BadInput(
            "error_text_unknown",
            f"The text {text[:80]!r} is none of AWS's refusals that are known.",
            at_fault="--error",
            remedy="Give the whole message that OpenAI returned, or diagnose a snapshot alone.",
        )
    if found is None:
        return Read(row.outcome, row.meaning, row.causes)
    return _narrow(row, text, found, snapshot)


def _narrow(row: AwsErrorText, text: str, found: Diagnosis, snapshot: Snapshot | None) -> Read:
    """Leave away what the snapshot rules out, and what the text does."""
    outcome, meaning, causes = row.outcome, row.meaning, row.causes
    if (other := _about_another(text, snapshot)) is not None:
        return Read(outcome, meaning, causes, other)
    same = found.outcome == outcome or _is_worded_alike(found.outcome, outcome)
    if same and _blames(row, found):
        return Read(outcome, meaning, (), "The snapshot shows the cause: see the faults.")
    if same:
        places = ", ".join(dict.fromkeys(fault.document for fault in found.faults))
        note = (
            f"The snapshot shows another fault, in {places}, which is not what the text is about."
        )
        return Read(outcome, meaning, causes, note)
    assumed = found.decisions.get("sts:AssumeRole")
    passes = assumed is not None and assumed.allowed and outcome == "assume_role_denied"
    if not found.allows and not passes:
        note = f"The snapshot shows another fault, which AWS meets: {found.outcome}."
        return Read(outcome, meaning, causes, note)
    hidden = ("", "scps", "rcps", "role") if found.unseen else ("", "role")
    unseen = tuple(path.split("[")[0].split(".")[0] for path in found.unseen)
    causes = tuple(
        each
        for each in causes
        if row.policy_arn is not None or _root(each.document) in (*hidden, *unseen)
    )
    further = "" if found.allows else f" Further on there is a fault: {found.outcome}."
    return Read(
        outcome,
        meaning,
        causes,
        "The collected policies allow the call: IAM has not settled, an unseen policy refuses, or "
        f"the registration at OpenAI is another than the snapshot's.{further}",
    )


def _root(document: str) -> str:
    return document.partition("[")[0].partition(".")[0]


def _blames(row: AwsErrorText, found: Diagnosis) -> bool:
    """Return whether a fault of the snapshot is in what the text blames."""
    if not row.documents:
        return True
    blamed = tuple(each for each in row.documents if each)
    return any(fault.document.startswith(blamed) for fault in found.faults)


def _about_another(text: str, snapshot: Snapshot | None) -> str | None:
    """Say that a text is about another role or key than the snapshot."""
    if snapshot is None:
        return None
    registration = snapshot.registration
    role = find_customer_role(text)
    if role is not None and _role_name(role[0]) != _role_name(registration.role_arn):
        return f"The text is about {role[0]}; the snapshot is about {registration.role_arn}."
    key = ARN_OF_KEY_IN_TEXT.search(text)
    known = {registration.kms_arn}
    if snapshot.keys is not UNSEEN:
        known |= {each.arn for each in snapshot.keys}
    if snapshot.aliases is not UNSEEN:
        known |= {each.arn for each in snapshot.aliases}
    if key is not None and key[0] not in known:
        return f"The text is about {key[0]}; the snapshot is about {registration.kms_arn}."
    return None


def _role_name(arn: str) -> tuple[str, ...]:
    """Return a role's account, path and name; for a session return the name alone."""
    parts = arn.split(":", 5)
    kind, _, rest = parts[-1].partition("/")
    name = rest.split("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
    return parts[4] if len(parts) > 5 else "", name  # noqa: PLR2004 - an ARN has six parts


def _is_worded_alike(found: str, read_: str) -> bool:
    """Return whether AWS words two outcomes alike: it words a missing key as a denial."""
    use = {"encrypt_denied", "decrypt_denied", "key_not_found", "wrong_region"}
    return found in use and read_ in use
