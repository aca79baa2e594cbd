"""The layer of policies that refuses a call, and how far the call gets."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.diagnosis.refusing_layer import how_far, refusing_kind, refusing_layer
from openai_ekm.openai_calls import call_decisions
from openai_ekm.openai_calls.requests import ENCRYPT
from openai_ekm.snapshot import Key, Snapshot
from tests.support.healthy import KEY_USE, USE, document, healthy, put

ANYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
READ_ONLY = document({"Effect": "Allow", "Action": "kms:Describe*", "Resource": "*"})
OF_ANYBODY = document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
NO_SIGN = document({"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"})
LAYERS: dict[str, tuple[str, Any, str, int | None]] = {
    "key_policy": (f"{KEY_USE}/Action", "kms:Sign", "resource", None),
    "identity": (f"{USE}/Action", "kms:Sign", "identity", None),
    "boundary": ("role/permissions_boundary", READ_ONLY, "permissions_boundary", None),
    "first_scp_level": ("scps", [[READ_ONLY], [ANYTHING]], "scps", 0),
    "second_scp_level": ("scps", [[ANYTHING], [READ_ONLY]], "scps", 1),
    "second_rcp_level": ("rcps", [[OF_ANYBODY], [NO_SIGN]], "rcps", 1),
}


def encrypt(body: dict[str, Any]) -> call_decisions.Asked:
    """OpenAI's Encrypt, decided."""
    snapshot = Snapshot.from_json(body)
    key = snapshot.registered_key
    assert isinstance(key, Key)
    return call_decisions.use(ENCRYPT, snapshot, key, session_name="OpenAI-EKM-Service")


@pytest.mark.parametrize(("path", "value", "layer", "level"), LAYERS.values(), ids=LAYERS)
def test_the_layer_that_refuses_is_named(
    path: str, value: Any, layer: str, level: int | None
) -> None:
    """Guards against: a fix for a document that allows, while another one refuses."""
    asked = encrypt(put(healthy(), path, value))
    assert refusing_kind(asked.request, asked.policies) == layer
    named, documents, at = refusing_layer(asked, asked.policies.prepare(ENCRYPT))
    assert (named, at) == (layer, level)
    assert all(each.name.startswith(layer) for each in documents)
    assert documents
    assert how_far(asked) == (layer, str(level))


def test_of_two_layers_the_first_in_the_order_of_aws_refuses() -> None:
    """Guards against: a fix of the identity policy, after which AWS still refuses."""
    asked = encrypt(put(put(healthy(), f"{USE}/Action", "kms:Sign"), "scps", [[READ_ONLY]]))
    assert how_far(asked) == ("scps", "0")


def test_a_call_that_passes_or_is_denied_gets_as_far_as_its_outcome() -> None:
    """Guards against: a repair is taken for progress because two outcomes look alike."""
    assert how_far(encrypt(healthy())) == ("Allowed",)
    assert how_far(encrypt(put(healthy(), f"{USE}/Effect", "Deny"))) == ("ExplicitlyDenied",)
