"""Where a page of the documentation is: its URL, or its path where no URL is known."""

from __future__ import annotations

from openai_ekm.project import documentation_url

__all__ = ["address"]


def address(page: str) -> str:
    """Return what a reader opens.

    Args:
        page: As in `docs/errors.md`, from the top of the repository.

    Returns:
        The URL that the package's metadata names, or the path itself: an installation from a
        repository without a public address knows none.
    """
    return documentation_url(page) or page
