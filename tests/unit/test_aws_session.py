"""Lists of AWS's, read to their end."""

from __future__ import annotations

import boto3
from botocore.stub import Stubber

from openai_ekm.aws_session import list_items

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def test_a_list_is_read_page_by_page_to_its_end() -> None:
    """Guards against: a grant or an alias of a later page that is never seen."""
    kms = boto3.client(
        "kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(kms) as answers:
        answers.add_response(
            "list_aliases",
            {"Aliases": [{"AliasName": "alias/a"}], "Truncated": True, "NextMarker": "more"},
            {"KeyId": KEY},
        )
        answers.add_response(
            "list_aliases",
            {"Aliases": [{"AliasName": "alias/b"}], "Truncated": False},
            {"KeyId": KEY, "Marker": "more"},
        )
        aliases = list(list_items(kms, "list_aliases", "Aliases", KeyId=KEY))
        answers.assert_no_pending_responses()
    assert [alias["AliasName"] for alias in aliases] == ["alias/a", "alias/b"]
