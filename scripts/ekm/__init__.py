"""The AWS side of OpenAI Enterprise Key Management: policies, proof, registration, rehearsal."""

from ekm._version import __version__

__all__ = ["__version__"]
