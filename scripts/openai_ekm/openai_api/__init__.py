"""Client of OpenAI's Admin API for external keys and projects.

Source: docs/reference/openai-api.md. No decision about registrations is made here.
"""

from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.refusal_errors import ApiRefused, ApiUnclear, kind_of
from openai_ekm.openai_api.refusal_kinds import Kind

__all__ = [
    "AdminKey",
    "ApiRefused",
    "ApiUnclear",
    "ExternalKey",
    "Kind",
    "Project",
    "kind_of",
]
