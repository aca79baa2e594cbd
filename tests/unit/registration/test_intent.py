"""What can be registered, and one clear refusal for everything else."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.registration.intent import Intent, check_id, check_project, unusual_external_id

GOOD = {
    "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
    "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    "external_id": "org-abc123",
    "name": "prod",
}
KMS = "arn:aws:kms:eu-west-1:111122223333:"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"role_arn": "arn:aws:iam::111122223333:role/team/x/openai-ekm"},
        {"role_arn": "arn:aws:iam::111122223333:role/a+b=c,d.e@f-g_h"},
        {"kms_arn": f"{KMS}key/mrk-1234abcd12ab34cd56ef1234567890ab"},
        {"kms_arn": f"{KMS}alias/openai/ekm_1-x"},
        {"external_id": "proj_abc"},
        {"external_id": "a" * 1224},
        {"external_id": "a+=,.@:/-_b"},
        {"name": "Produktion, Schlüssel 1"},
    ],
)
def test_accepts(change: dict[str, Any]) -> None:
    """A form that OpenAI and AWS accept is refused."""
    assert Intent(**{**GOOD, **change}).account == "111122223333"


REFUSED = {
    "role_arn_empty": ({"role_arn": ""}, "role_arn_malformed"),
    "role_arn_of_user": ({"role_arn": "arn:aws:iam::111122223333:user/x"}, "role_arn_malformed"),
    "role_arn_without_name": (
        {"role_arn": "arn:aws:iam::111122223333:role/"},
        "role_arn_malformed",
    ),
    "role_arn_short_account": (
        {"role_arn": "arn:aws:iam::11112222333:role/x"},
        "role_arn_malformed",
    ),
    "role_arn_session": (
        {"role_arn": "arn:aws:sts::111122223333:assumed-role/x/y"},
        "role_arn_malformed",
    ),
    "role_arn_space": ({"role_arn": "arn:aws:iam::111122223333:role/x y"}, "role_arn_malformed"),
    "role_arn_line_break": (
        {"role_arn": "arn:aws:iam::111122223333:role/x\n"},
        "role_arn_malformed",
    ),
    "role_arn_other_digits": (
        {"role_arn": "arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/x"},
        "role_arn_malformed",
    ),
    "role_arn_govcloud": (
        {"role_arn": "arn:aws-us-gov:iam::111122223333:role/x"},
        "partition_unsupported",
    ),
    "kms_arn_id_alone": (
        {"kms_arn": "11111111-2222-3333-4444-555555555555"},
        "kms_arn_malformed",
    ),
    "kms_arn_alias_alone": ({"kms_arn": "alias/x"}, "kms_arn_malformed"),
    "kms_arn_no_uuid": ({"kms_arn": f"{KMS}key/abc"}, "kms_arn_malformed"),
    "kms_arn_line_break": ({"kms_arn": GOOD["kms_arn"] + "\n"}, "kms_arn_malformed"),
    "kms_arn_without_region": (
        {"kms_arn": "arn:aws:kms::111122223333:alias/x"},
        "kms_arn_malformed",
    ),
    "kms_arn_china": (
        {"kms_arn": "arn:aws-cn:kms:cn-north-1:111122223333:alias/x"},
        "partition_unsupported",
    ),
    "external_id_short": ({"external_id": "a"}, "external_id_malformed"),
    "external_id_long": ({"external_id": "a" * 1225}, "external_id_malformed"),
    "external_id_space": ({"external_id": "org-abc 123"}, "external_id_malformed"),
    "external_id_umlaut": ({"external_id": "org-äbc"}, "external_id_malformed"),
    "external_id_line_break": ({"external_id": "org-abc\n"}, "external_id_malformed"),
    "external_id_wildcard": ({"external_id": "org-*"}, "external_id_malformed"),
    "external_id_arn": ({"external_id": "arn:aws:iam::1:role/x"}, "external_id_malformed"),
    "name_empty": ({"name": ""}, "name_malformed"),
    "name_blank": ({"name": "  "}, "name_malformed"),
    "name_padded": ({"name": " prod"}, "name_malformed"),
    "name_long": ({"name": "a" * 257}, "name_malformed"),
    "name_line_break": ({"name": "a\nb"}, "name_malformed"),
}


@pytest.mark.parametrize(("change", "id"), REFUSED.values(), ids=REFUSED)
def test_refuses_naming_member_value_and_remedy(change: dict[str, str], id: str) -> None:
    """A value that cannot work reaches OpenAI, or is refused without saying which it was."""
    with pytest.raises(BadInput) as raised:
        Intent(**{**GOOD, **change})
    error = raised.value
    ((member, value),) = change.items()
    assert error.id == id
    assert error.at_fault == member
    assert member in error.message
    assert repr(value)[1:60] in error.message
    assert "\n" not in error.message
    assert error.remedy


@pytest.mark.parametrize("value", ["", " x", "a" * 257, "a\tb"])
def test_refuses_project_name(value: str) -> None:
    """A project is made under a name that nobody can find again."""
    with pytest.raises(BadInput) as raised:
        check_project(value)
    assert raised.value.id == "project_name_malformed"


@pytest.mark.parametrize("value", ["", "a/b", "extkey_1 ", "../x", "a" * 201])
def test_refuses_id(value: str) -> None:
    """An id reaches into another path of the API."""
    with pytest.raises(BadInput) as raised:
        check_id(value, "--adopt")
    assert raised.value.id == "id_malformed"


@pytest.mark.parametrize("usual", ["org-abc123", "org-A1_b-2", "proj_abc"])
def test_ids_of_openai_are_no_unusual_external_ids(usual: str) -> None:
    """Guards against: every run of a sound set-up begins with a warning."""
    assert unusual_external_id(usual) is None


@pytest.mark.parametrize(
    "unusual",
    ["abc123", "Org-abc123", "org_abc123", "proj-abc", "org-", "org-abc/1", "x" * 1224],
)
def test_other_external_ids_are_said_to_be_unusual(unusual: str) -> None:
    """Guards against: a mistyped id passes without a word; 1224 characters fill a terminal."""
    found = unusual_external_id(unusual)
    assert found is not None
    assert repr(unusual[:80])[:-1] in found
    assert "org-" in found
    assert "proj_" in found
    assert len(found) < 400
