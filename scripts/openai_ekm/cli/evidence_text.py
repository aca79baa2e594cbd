"""The results of `ekm evidence` as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.cli.render import Styled
from openai_ekm.evidence.verify import NOT_VOUCHED_FOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.cli.render import Line
    from openai_ekm.evidence.pack import Pack
    from openai_ekm.evidence.verify import Verification

__all__ = ["lines_of_check", "lines_of_pack"]


def lines_of_pack(place: str, pack: Pack, count: int, fingerprint: str | None) -> Iterator[Line]:
    """Yield what was written.

    Args:
        place: The folder or the zip.
        pack: What its files hold.
        count: The number of its files.
        fingerprint: Of the key that signed; None when none did.
    """
    yield f"Written: {place}, {count} files, as of {pack.generated_at}."
    yield f"Claims: {pack.proof['answer']}."
    if pack.not_seen:
        yield "Not seen:"
        yield from (f"  - {each.member}: {each.what} ({each.why})" for each in pack.not_seen)
    if fingerprint is None:
        yield "Not signed: --sign kms:ARN signs the manifest."
    else:
        yield f"Signed by {fingerprint}."
        yield "Give the auditor this fingerprint by another way than the pack."


def lines_of_check(found: Verification) -> Iterator[Line]:
    """Yield what the check of a pack found.

    Args:
        found: The result of the check.
    """
    for each in found.differences:
        yield Styled(each.kind, "red"), f"  {each.message}"
    manifest = found.manifest
    if manifest is not None and not found.differences:
        yield f"{len(manifest.entries)} files are as the manifest of {manifest.generated_at} says."
    if found.signed:
        yield f"The manifest is signed by {found.fingerprint} ({found.algorithm})."
    elif not found.differences:
        yield "The pack is not signed. Anybody could have written it."
    if found.signed and found.given is None:
        yield (
            "No fingerprint was given: the signature proves nothing about who signed, since the "
            "key came in the pack. Get the fingerprint from the signer, and give --fingerprint."
        )
    yield "No check can prove:"
    yield from (f"  - {each}" for each in NOT_VOUCHED_FOR)
