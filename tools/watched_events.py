"""Write the events that `ekm usage` looks for, from the table of modules/monitoring.

The package travels without that folder, and one list shall say what matters about key and role.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.watches import WATCHES, Watch

# What CloudTrail calls the events that KMS itself sends to EventBridge.
# https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
OF_AWS = {
    "KMS CMK Deletion": "DeleteKey",
    "KMS Imported Key Material Expiration": "DeleteExpiredKeyMaterial",
    "KMS CMK Rotation": "RotateKey",
}
# Their events are uses of the key and of the role, which the queries tell by who makes them.
USES = "key-used-by-other"
LEFT_OUT = {USES, "key-use-refused", "role-assumed-by-other", "role-assume-refused"}
SUBJECTS = {"key", "role", "trail"}
# Of a managed policy: the queries do not know which ones the role has.
OTHER_SUBJECT = {"role-managed-policy-changed"}
FILE = Path("scripts/openai_ekm/usage/watched.json")


def row(watch: Watch) -> dict[str, Any]:
    """Return a watch as the package has it."""
    pattern = watch.pattern or {}
    detail = pattern.get("detail", {})
    session = watch.id == "role-used-otherwise"
    names = [] if session else detail.get("eventName", [])
    if watch.maker == "aws":
        names = [OF_AWS[kind] for kind in pattern["detail-type"]]
    (source,) = pattern["source"]
    return {
        "id": watch.id,
        "severity": watch.severity,
        "summary": watch.summary,
        "source": "" if session else source.removeprefix("aws.") + ".amazonaws.com",
        "events": names,
        "refused": detail.get("errorCode") == [{"exists": True}],
        "subject": "session" if session else watch.id.partition("-")[0],
    }


def document() -> dict[str, Any]:
    """Return the whole file."""
    rows = [
        row(watch)
        for watch in WATCHES
        if watch.id.partition("-")[0] in SUBJECTS and watch.id not in LEFT_OUT | OTHER_SUBJECT
    ]
    (uses,) = (watch.pattern for watch in WATCHES if watch.id == USES)
    names = (uses or {})["detail"]["eventName"]
    return {
        "uses": [name if isinstance(name, str) else f"{name['prefix']}%" for name in names],
        "watches": rows,
    }


def write(root: Path, *, check: bool) -> bool:
    """Write the file, or say that it is not up to date.

    Returns:
        Whether it was not, where it is only checked.
    """
    file = root / FILE
    wanted = json.dumps(document(), indent=2) + "\n"
    if file.exists() and file.read_text(encoding="utf-8") == wanted:
        return False
    if check:
        print(f"{FILE} differs from the table of watches. Run `make docs`.")
        return True
    file.write_text(wanted, encoding="utf-8")
    return False
