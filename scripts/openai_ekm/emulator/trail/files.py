"""CloudTrail's log files in a folder, as a trail writes them to a bucket.

Each file is whole or absent, gets a name of its own, and can be read by this user alone.

Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import gzip
import json
import re
import secrets
import string
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput
from openai_ekm.files import make_private_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openai_ekm.emulator.trail.records import Record

__all__ = ["TrailFolder"]

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")
_LETTERS: Final = string.ascii_letters + string.digits
_UNIQUE: Final = 16  # characters


class TrailFolder:
    """A folder with log files: `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/*.json.gz`.

    Args:
        folder: It is made for this user alone; so is what is in it.

    Raises:
        BadInput: `emulator_trail`, when the folder cannot be made, or another user may change it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._folder = make_private_folder(folder)
        except OSError as error:
            raise BadInput(
                "emulator_trail",
                f"The folder {folder} cannot take the trail: {error.strerror}.",
                at_fault="--trail",
                remedy="Name a folder that only you can change, or one that is not there yet.",
            ) from error

    def write(self, records: Sequence[Record], *, at: float) -> None:
        """Write one file for each account and Region that the records are of.

        Args:
            records: What a trail delivers together.
            at: Unix seconds of the delivery.

        Raises:
            OSError: A file cannot be written.
        """
        grouped: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            place = record["recipientAccountId"], record["awsRegion"]
            grouped.setdefault(place, []).append(record)
        for (account, region), group in grouped.items():
            self._write(account, region, group, datetime.fromtimestamp(at, UTC))

    def _write(self, account: str, region: str, records: list[Record], when: datetime) -> None:
        if not _ACCOUNT.fullmatch(account) or not _REGION.fullmatch(region):
            raise ValueError(f"No folder of a trail has account {account!r}, Region {region!r}.")
        folder = make_private_folder(
            self._folder / "AWSLogs" / account / "CloudTrail" / region / f"{when:%Y/%m/%d}"
        )
        content = gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode())
        while True:
            unique = "".join(secrets.choice(_LETTERS) for _ in range(_UNIQUE))
            name = f"{account}_CloudTrail_{region}_{when:%Y%m%dT%H%MZ}_{unique}.json.gz"
            with suppress(FileExistsError):
                write_atomically(folder / name, content, replace=False)
                return
