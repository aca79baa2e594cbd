"""Every environment variable of this product: docs/environment.md is written from this table.

A test finds every `EKM_…` that any file names, and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SECTIONS", "VARIABLES", "Variable"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable.

    Args:
        name: Its name.
        section: Which of the tables it stands in: a key of `SECTIONS`.
        holds: What its value is, and the default.
        meaning: What it does; the option that says the same.
    """

    name: str
    section: str
    holds: str
    meaning: str


SECTIONS: Final = {
    "registrar": "What is registered",
    "openai": "Calls to OpenAI",
    "machine": "This machine",
    "tests": "Tests of this module",
    "internal": "Set by this product for itself",
}

VARIABLES: Final = (
    Variable("EKM_ROLE_ARN", "registrar", "ARN", "The role that OpenAI assumes; `--role-arn`."),
    Variable("EKM_KMS_ARN", "registrar", "ARN", "The KMS key or its alias; `--kms-arn`."),
    Variable(
        "EKM_EXTERNAL_ID",
        "registrar",
        "`org-…` or `proj_…`",
        "The id that the trust policy asks for; `--external-id`.",
    ),
    Variable(
        "EKM_NAME", "registrar", "text", "The registration's name, as OpenAI shows it; `--name`."
    ),
    Variable(
        "EKM_PROJECTS",
        "registrar",
        'JSON list of names, as in `["prod"]`',
        "The projects to make; `--project`, once for each.",
    ),
    Variable(
        "EKM_RECORD",
        "registrar",
        "`ssm:NAME` or `file:PATH`",
        "Where the record of the registration is kept; `--record`.",
    ),
    Variable(
        "EKM_WAIT_SECONDS",
        "registrar",
        "whole number, default 180",
        "How long to wait for what settles late in AWS; `--wait`.",
    ),
    Variable(
        "EKM_CONFIRM_ARCHIVE",
        "registrar",
        "id of the external key",
        "Archives the key's active projects in this run, for good; `--confirm-archive`. Also read "
        "by a destroy.",
    ),
    Variable(
        "OPENAI_ADMIN_KEY",
        "openai",
        "an admin key",
        "The key for OpenAI's Admin API. No child process gets it.",
    ),
    Variable(
        "EKM_ADMIN_KEY_FROM",
        "openai",
        "`secretsmanager:ARN` or `ssm:NAME`",
        "Where in AWS the admin key is read instead; `--admin-key-from`.",
    ),
    Variable(
        "OPENAI_BASE_URL",
        "openai",
        "URL, default `https://api.openai.com/v1`",
        "OpenAI's Admin API; plain http on loopback only.",
    ),
    Variable(
        "EKM_CALLS_PER_MINUTE",
        "openai",
        "whole number, default 7",
        "Calls a minute to each endpoint, shared by all processes of the user; 0 for no pacing.",
    ),
    Variable(
        "EKM_LIST_LAG_SECONDS",
        "openai",
        "whole number, default 75",
        "How long to look in OpenAI's lists for what an unanswered create may have made.",
    ),
    Variable(
        "EKM_EMULATOR_KEYS",
        "openai",
        'JSON object, as in `{"sk-admin-reader": ["api.external_keys.read"]}`',
        "Further admin keys that `ekm emulate` accepts, with their scopes.",
    ),
    Variable(
        "EKM_DEBUG",
        "machine",
        "any text",
        "Shows the traceback of a defect (exit code 70), and what requests, urllib3 and botocore "
        "log; `--debug`. The admin key is hidden in it.",
    ),
    Variable(
        "EKM_TERRAFORM",
        "machine",
        "name or path of a program",
        "Terraform or OpenTofu; `--terraform`. Default: `terraform` on PATH, else `tofu`.",
    ),
    Variable("NO_COLOR", "machine", "any text", "Turns colours off; `--no-color`."),
    Variable(
        "FORCE_COLOR",
        "machine",
        "any text",
        "Turns colours on where the output is no terminal, as in the log of a pipeline. "
        "`--no-color` and NO_COLOR win.",
    ),
    Variable(
        "EKM_PYTHON",
        "machine",
        "path of a Python",
        "The Python that the launcher of `terraform apply` and the tools use.",
    ),
    Variable(
        "EKM_CACHE_DIR",
        "machine",
        "folder, default `~/.cache/openai-ekm-aws`",
        "Where a rehearsal keeps what it downloads.",
    ),
    Variable(
        "EKM_TF_MIRROR",
        "machine",
        "folder",
        "A mirror of Terraform providers, for a machine that cannot download them.",
    ),
    Variable("EKM_FUZZ_CASES", "tests", "number", "Cases of `make fuzz`."),
    Variable("EKM_FUZZ_SEED", "tests", "number", "Where the cases of `make fuzz` begin."),
    Variable("EKM_FUZZ_EXAMPLES", "tests", "number", "Examples of the proof's properties."),
    Variable("EKM_FUZZ_LINES", "tests", "number", "Spoilt lines that `make fuzz` tries."),
    Variable("EKM_FAULTS", "tests", "`all`", "Tries every pair of mishaps (`make faults`)."),
    Variable("EKM_FAULTS_EXAMPLES", "tests", "number", "Random schedules of `make faults`."),
    Variable("EKM_MUTANTS", "tests", "number", "Mutants of `make mutation`."),
    Variable("EKM_MUTATION_SEED", "tests", "number", "How the mutants are drawn."),
    Variable("EKM_MUTATION_ONLY", "tests", "text", "Only files with this text in their path."),
    Variable("EKM_MUTATION_SINCE", "tests", "commit", "Only lines that were changed since it."),
    Variable("EKM_MUTATION_JOBS", "tests", "number", "Processes of `make mutation`."),
    Variable("EKM_MUTATION_RESULTS", "tests", "file", "Results, which are not tried again."),
    Variable("EKM_MUTATION_AGAIN", "tests", "any text", "Tries again what survived."),
    Variable(
        "EKM_MATRIX",
        "tests",
        "versions, as in `1.9.8,newest`",
        "Versions of Terraform that `make matrix` tries; all of them by default.",
    ),
    Variable("EKM_WORKERS", "tests", "number", "Processes that write the table of reliability."),
    Variable(
        "EKM_LAUNCHER_PROBE",
        "internal",
        "`1`",
        "Tells an `ekm-register` that the launcher asks for its version, and not to ask in turn.",
    ),
)
