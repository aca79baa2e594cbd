"""What describes AWS's API, read once by all sessions of a test process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from botocore import loaders, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

__all__ = ["shared"]

_own = functools.cache(loaders.create_loader)  # it keeps what it has read


def _loader(search_path: str | None = None) -> loaders.Loader:
    """Return botocore's loader; one that is told where to look is never shared."""
    return loaders.create_loader(search_path) if search_path else _own()


def shared(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each session of boto3 use the same loader, as all clients of one session do.

    Each session reads and checks the descriptions anew otherwise, which takes longer than most
    verbs do.
    """
    patch.setattr(session, "create_loader", _loader)
    yield
