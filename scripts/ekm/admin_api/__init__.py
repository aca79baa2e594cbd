"""Client of OpenAI's Admin API for external keys and projects.

Source: wire contract 1.0 to 1.10. No decision about registrations is made here.
"""

from ekm.admin_api.objects import ExternalKey, Project
from ekm.admin_api.redaction import AdminKey
from ekm.admin_api.refusals import ApiRefused, ApiUnclear, Kind, kind_of

__all__ = [
    "AdminKey",
    "ApiRefused",
    "ApiUnclear",
    "ExternalKey",
    "Kind",
    "Project",
    "kind_of",
]
