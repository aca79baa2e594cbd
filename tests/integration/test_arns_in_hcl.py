"""The plan, the registrar, the diagnosis and the emulator take the same ARNs of keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openai_ekm.diagnosis import Outcome
from openai_ekm.errors import BadInput
from openai_ekm.registration.intent import Intent
from tests.support.emulated import BODY, Api
from tests.support.hcl_patterns import accepted_by
from tests.support.judged import judged, put

if TYPE_CHECKING:
    from pathlib import Path

HERE = "arn:aws:kms:eu-west-1:111122223333:"
UUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION = "mrk-1234abcd12ab34cd56ef1234567890ab"
ACCEPTED = [
    f"{HERE}key/{UUID}",
    f"{HERE}key/{MULTI_REGION}",
    f"{HERE}alias/openai/ekm_1-X",
    f"{HERE}alias/{'a' * 250}",
    f"arn:aws:kms:ap-southeast-12:111122223333:key/{UUID}",
]
REFUSED = [
    # KMS makes ids in lower case.
    f"{HERE}key/{UUID.upper()}",
    # An id of a multi-Region key has 32 digits.
    f"{HERE}key/mrk-12",
    f"{HERE}key/{MULTI_REGION.replace('c', 'C')}",
    # A Region is two letters, a word and a number; regions with more words are of other partitions.
    f"arn:aws:kms:mars:111122223333:key/{UUID}",
    f"arn:aws:kms:eu-isoe-west-12:111122223333:key/{UUID}",
    f"arn:aws:kms:us-gov-west-1:111122223333:key/{UUID}",
    f"arn:aws:kms::111122223333:key/{UUID}",
    # The name of an alias has at most 256 characters, `alias/` included.
    f"{HERE}alias/{'a' * 251}",
    f"{HERE}alias/",
    f"{HERE}alias/a.b",
    f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/{UUID}",
    f"arn:aws:kms:eu-west-1:11112222333:key/{UUID}",
    f"arn:aws:kms:eu-west-1:١١١١٢٢٢٢٣٣٣٣:key/{UUID}",
    f"{HERE}key/{UUID}\n",
    f" {HERE}key/{UUID}",
    UUID,
    "alias/openai",
]


def by_plan(repository: Path, folder: Path, arns: list[str]) -> list[bool]:
    """What the variable kms_key_arn says."""
    text = (repository / "variables.key.tf").read_text(encoding="utf-8")
    pattern = re.search(r"^  registered_arn = .*?^  \]\)", text, re.DOTALL | re.MULTILINE)
    assert pattern
    assert "can(regex(local.registered_arn, var.kms_key_arn))" in text
    return accepted_by(folder, f"locals {{\n{pattern[0]}\n}}\n", "registered_arn", arns)


def by_registrar(arn: str) -> bool:
    """What `ekm register` says before it does anything."""
    try:
        Intent(role_arn=BODY["role_arn"], kms_arn=arn, external_id="org-abc", name="prod")
    except BadInput:
        return False
    return True


def by_diagnosis(arn: str) -> bool:
    """What `ekm diagnose` says of a snapshot in which this is registered."""
    return judged(put("registration.kms_arn", arn)).outcome != Outcome.INVALID_ARN


def by_emulator(api: Api, arn: str) -> bool:
    """What the emulated create says."""
    answer = api.call("POST", "external_keys", {**BODY, "kms_arn": arn})
    accepted = bool(answer.status_code == 200)
    assert accepted or answer.json()["error"]["param"] == "kms_arn"
    return accepted


@pytest.mark.terraform
def test_an_arn_of_a_key_gets_one_answer_from_all_four(repository: Path, tmp_path: Path) -> None:
    """Guards against: an ARN that one part accepts and another calls malformed."""
    arns = [*ACCEPTED, *REFUSED]
    plan = by_plan(repository, tmp_path, arns)
    api = Api()
    with api.client:
        answers = {
            arn: (accepted, by_registrar(arn), by_diagnosis(arn), by_emulator(api, arn))
            for arn, accepted in zip(arns, plan, strict=True)
        }
    api.store.close()
    assert answers == {arn: (arn in ACCEPTED,) * 4 for arn in arns}
