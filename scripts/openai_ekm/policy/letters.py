"""Capital and small letters: AWS's names are ASCII, and only the case of ASCII letters is folded.

Python's `str.lower` makes an ASCII `k` of U+212A KELVIN SIGN, so that a name of another key would
count as AWS's.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
("Condition key names are not case-sensitive"; nothing is said of letters outside ASCII)
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

__all__ = ["has_ascii_name", "in_any_case", "lower_ascii"]

LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def lower_ascii(text: str) -> str:
    """Return the text with its ASCII letters in lower case, and every other character as it is."""
    return text.lower() if text.isascii() else text.translate(LOWER)


def in_any_case(text: str) -> str:
    """Return a form of a text that is the same for texts that differ in case alone.

    Texts for which this differs are different in any case. Where it is the same and the texts
    differ outside ASCII, AWS does not say whether they are equal.
    """
    return text.replace("\u0130", "i").casefold().upper().casefold()


def has_ascii_name(key: str) -> bool:
    """Return whether a condition key's name is ASCII.

    The name is what stands before the second colon and before a slash. The rest is a tag's key
    or a key of an encryption context: that may hold any letter.
    """
    if key.isascii():
        return True
    service, _, rest = key.partition(":")
    return (service + rest.partition("/")[0].partition(":")[0]).isascii()
