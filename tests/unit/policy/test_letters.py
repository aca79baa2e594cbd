"""Capital and small letters of AWS's names."""

from __future__ import annotations

import pytest

from openai_ekm.policy import ALLOW_ALL, DocumentKind, parse_document
from openai_ekm.policy.letters import has_ascii_name, in_any_case, lower_ascii

KELVIN = "\u212a"  # Python's `lower` makes an ASCII k of it


@pytest.mark.parametrize(
    ("key", "ascii_name"),
    [
        ("aws:ResourceTag/Team", True),
        ("aws:ResourceTag/é", True),
        ("aws:Résource/x", False),
        ("é:ResourceTag/x", False),
        ("aws:é", False),
        ("é", False),
        ("kms:EncryptionContext:é", True),
        ("kms:Encryptioné:x", False),
        ("kms:a/b:é", True),
        ("kms:a:b/é", True),
    ],
)
def test_a_key_is_named_in_ascii_before_what_its_user_wrote(key: str, *, ascii_name: bool) -> None:
    """Guards against: a key that AWS does not have, taken for one of a tag; and the reverse."""
    assert has_ascii_name(key) is ascii_name


def test_only_letters_of_ascii_change_their_case() -> None:
    """Guards against: a letter outside ASCII that becomes one of AWS's."""
    assert lower_ascii("aws:TAG/É") == "aws:tag/É"
    assert lower_ascii(f"{KELVIN}MS:X") == f"{KELVIN}ms:x"
    assert lower_ascii("KMS:X") == "kms:x"


def test_texts_that_differ_in_case_alone_have_one_form() -> None:
    """Guards against: two keys that may be one, counted as two."""
    assert in_any_case("STRASSE") == in_any_case("straße")
    assert in_any_case(f"{KELVIN}ms") == in_any_case("kms")
    assert in_any_case("\u0130") == in_any_case("i")
    assert in_any_case("a") != in_any_case("b")


def test_the_policy_that_allows_everything_is_an_identity_policy() -> None:
    """Guards against: a stand-in that allows less than it says."""
    [statement] = parse_document(ALLOW_ALL, DocumentKind.IDENTITY).statements
    assert statement.conditions == ()
    assert ALLOW_ALL == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
