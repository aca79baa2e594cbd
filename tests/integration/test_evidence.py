"""A pack of a rehearsed set-up: LocalStack's KMS signs it, and it is verified elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import REGION
from tests.doubles.customer import Customer, Http, document

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal import EmulatorProcess, LocalStack

ORGANIZATION = "org-abc"
AT = "2026-11-29T10:00:00Z"
SIGNING = {"rsa": "RSA_3072", "p256": "ECC_NIST_P256"}
UNSUITABLE = {"small": "RSA_2048", "for encryption": "RSA_3072"}
# The least that a pack needs: what a snapshot reads, rotation, and the two calls of a signature.
LEAST_OF_AWS = [
    "DescribeKey",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetPublicKey",
    "GetRole",
    "GetRolePolicy",
    "ListAliases",
    "ListAttachedRolePolicies",
    "ListGrants",
    "ListKeyRotations",
    "ListResourceTags",
    "ListRolePolicies",
    "Sign",
]


@dataclass
class Evidence:
    """Runs `ekm evidence` in this process, as somebody who may read the account."""

    aws: LocalStack
    openai: EmulatorProcess
    patch: pytest.MonkeyPatch
    customer: Customer
    external_key_id: str
    keys: dict[str, str]
    capsys: Any = None
    calls: list[str] = field(default_factory=list)

    def run(self, *words: str, **variables: str) -> tuple[int, Any, str]:
        """Run a verb with `--json`; return the exit code, the document and stderr."""
        given = {
            **self.aws.environment(self.customer.account, REGION),
            **self.openai.environment(),
            "EKM_ROLE_ARN": self.customer.role_arn,
            "EKM_KMS_ARN": self.customer.kms_arn,
            "EKM_EXTERNAL_ID": ORGANIZATION,
            **variables,
        }
        with self.patch.context() as patch:
            for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
                patch.delenv(name)
            for name, value in given.items():
                patch.setenv(name, value)
            patch.setattr(boto3.Session, "client", self._recorded(boto3.Session.client))
            self.calls.clear()
            code = run(load_verb("evidence"), "ekm evidence", [*words, "--json"])
        out, err = self.capsys.readouterr()
        assert self.openai.admin_key not in out + err
        assert "Traceback" not in err
        return code, json.loads(out), err

    def write(self, place: Path, *words: str, **variables: str) -> dict[str, Any]:
        """Write a pack of the registration."""
        named = ("--external-key", self.external_key_id, "--at", AT)
        code, written, err = self.run("write", str(place), *named, *words, **variables)
        assert code == 0, (written, err)
        found: dict[str, Any] = written
        return found

    def _recorded(self, make: Any) -> Any:
        def client(session: Any, *words: Any, **named: Any) -> Any:
            made = make(session, *words, **named)
            made.meta.events.register(
                "before-call", lambda model, **_: self.calls.append(model.name)
            )
            return made

        return client


@pytest.fixture(scope="module")
def set_up(ekm_localstack: LocalStack) -> tuple[Customer, dict[str, str]]:
    """A customer as the module would make it, with keys that sign and keys that may not."""
    customer = Customer(ekm_localstack)
    root = {"AWS": f"arn:aws:iam::{customer.account}:root"}
    administer = {
        "Sid": "AllowAdministration",
        "Effect": "Allow",
        "Principal": root,
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    use = customer.key_policy()["Statement"][0]
    customer.key_policy_is(document(administer, use))
    kms = customer.kms
    keys = {}
    for name, spec in {**SIGNING, **UNSUITABLE}.items():
        usage = "ENCRYPT_DECRYPT" if name == "for encryption" else "SIGN_VERIFY"
        keys[name] = str(kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"])
    kms.create_alias(AliasName="alias/evidence", TargetKeyId=keys["rsa"])
    keys["alias of rsa"] = f"arn:aws:kms:{REGION}:{customer.account}:alias/evidence"
    return customer, keys


@pytest.fixture
def evidence(
    set_up: tuple[Customer, dict[str, str]],
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Evidence:
    """The set-up, registered at OpenAI."""
    customer, keys = set_up
    ekm_openai.set_settings(organization=ORGANIZATION)
    registered = Http(ekm_openai).register(customer)
    ekm_openai.forget_requests()
    return Evidence(
        ekm_localstack, ekm_openai, monkeypatch, customer, registered, keys, capsys=capsys
    )


@pytest.mark.parametrize("kind", ["alias of rsa", "p256"])
def test_a_pack_that_kms_signed_is_verified_in_a_folder_of_its_own(
    kind: str, evidence: Evidence, tmp_path: Path
) -> None:
    """Guards against: a signature of KMS that an auditor's machine does not accept."""
    written = evidence.write(tmp_path / "pack.zip", "--sign", f"kms:{evidence.keys[kind]}")
    assert written["proof"] == "undecided"  # LocalStack has no organization with its policies
    elsewhere = tmp_path / "auditor" / "received.zip"
    elsewhere.parent.mkdir()
    shutil.copy(tmp_path / "pack.zip", elsewhere)
    with zipfile.ZipFile(elsewhere) as archive:
        archive.extractall(elsewhere.parent / "folder")
    for place in (elsewhere, elsewhere.parent / "folder"):
        code, found, _ = evidence.run(
            "verify", str(place), "--fingerprint", written["fingerprint"], AWS_ENDPOINT_URL=""
        )
        assert (code, found["holds"], evidence.calls) == (0, True, [])
        assert found["signature"]["valid"]
    decisions = json.loads((elsewhere.parent / "folder" / "decisions.json").read_text())
    assert {each["as_expected"] for each in decisions} == {True}


def test_each_tampering_of_it_is_refused(evidence: Evidence, tmp_path: Path) -> None:
    """Guards against: a changed pack that the verb passes; each file in turn, changed and gone."""
    written = evidence.write(tmp_path / "pack", "--sign", f"kms:{evidence.keys['p256']}")
    named = ("--fingerprint", written["fingerprint"])
    tried = 0
    for path in written["members"]:
        file = tmp_path / "pack" / path
        content = file.read_bytes()
        for changed in (content + b" ", None):
            file.unlink()
            if changed is not None:
                file.write_bytes(changed)
            elif path == "manifest.json":
                continue
            code, found, err = evidence.run("verify", str(tmp_path / "pack"), *named)
            assert (code, found["holds"]) == (1, False), path
            assert "evidence_differs" in err
            tried += 1
        file.write_bytes(content)
    assert tried >= 20
    assert evidence.run("verify", str(tmp_path / "pack"), *named)[0] == 0
    assert evidence.run("verify", str(tmp_path / "pack"))[0] == 8


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("small", "RSA_2048"),
        ("for encryption", "ENCRYPT_DECRYPT"),
        ("openai", "the key that OpenAI uses"),
    ],
)
def test_a_key_that_may_not_sign_is_refused_and_nothing_is_written(
    kind: str, said: str, evidence: Evidence, tmp_path: Path
) -> None:
    """Guards against: a weak signature, or OpenAI's key that signs."""
    arn = evidence.customer.kms_arn if kind == "openai" else evidence.keys[kind]
    code, body, _ = evidence.run("write", str(tmp_path / "pack"), "--sign", f"kms:{arn}")
    assert (code, body["error"]["id"]) == (2, "evidence_signing_key_unsuitable")
    assert said in body["error"]["message"]
    assert list(tmp_path.iterdir()) == []
    assert "Sign" not in evidence.calls


def test_openai_is_asked_twice_and_aws_no_more_than_is_needed(
    evidence: Evidence, tmp_path: Path
) -> None:
    """Guards against: a call for each file, or one that changes something."""
    written = evidence.write(tmp_path / "pack", "--sign", f"kms:{evidence.keys['p256']}")
    about_organization = {"DescribeOrganization", "ListParents", "ListPoliciesForTarget"}
    asked = sorted(each for each in evidence.calls if each not in about_organization)
    assert asked == LEAST_OF_AWS
    found = evidence.external_key_id
    assert evidence.openai.calls() == [
        f"POST /v1/organization/external_keys/{found}/validate 200",
        "GET /v1/organization/audit_logs 200",
    ]
    pack = tmp_path / "pack"
    validation = json.loads((pack / "validation.json").read_text())
    assert validation["status"] == "success"
    assert validation["request_id"].startswith("req_")
    events = json.loads((pack / "audit-events.json").read_text())["events"]
    assert [each["type"] for each in events] == ["external_key.registered"]
    assert {each["member"] for each in written["not_seen"]} >= {"usage", "drift", "drills"}


def test_a_refusal_of_openai_is_in_the_pack(evidence: Evidence, tmp_path: Path) -> None:
    """Guards against: a pack that cannot be written where OpenAI is refused, or hides it."""
    evidence.customer.trust(evidence.customer.trust_policy("org-other"))
    try:
        written = evidence.write(tmp_path / "pack")
    finally:
        evidence.customer.trust(evidence.customer.trust_policy())
    assert written["proof"] == "fails"
    validation = json.loads((tmp_path / "pack" / "validation.json").read_text())
    assert validation["status"] == "refused"
    assert "sts:AssumeRole" in validation["message"]
    assert validation["request_id"].startswith("req_")


def test_the_same_inputs_give_the_same_bytes_and_redaction_leaves_no_name(
    evidence: Evidence, tmp_path: Path
) -> None:
    """Guards against: a pack that cannot be made again, and one that names its customer."""
    pack = tmp_path / "pack"
    evidence.write(pack)
    files = [
        part
        for name in ("validation", "audit-events", "rotation")
        if (pack / f"{name}.json").exists()
        for part in (f"--{name}", str(pack / f"{name}.json"))
    ]
    again = [
        *("--snapshot", str(pack / "snapshot.json")),
        *files,
        *("--at", AT),
    ]
    made = []
    for name in ("one.zip", "two.zip"):
        code, _, err = evidence.run("write", str(tmp_path / name), *again, OPENAI_ADMIN_KEY="")
        assert (code, evidence.calls) == (0, []), err
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    code, _, _ = evidence.run("write", str(tmp_path / "red.zip"), *again, "--redact")
    assert code == 0
    secrets = (
        evidence.customer.account,
        evidence.external_key_id,
        evidence.customer.kms_arn.rpartition("/")[2],
        ORGANIZATION,
        "owner@example.com",
        f"role/{evidence.customer.role_arn.rpartition('/')[2]}",
    )
    with zipfile.ZipFile(tmp_path / "red.zip") as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            assert [each for each in secrets if each in text + name] == [], name


@pytest.mark.skipif(sys.version_info < (3, 13), reason="compliance-trestle is there on 3.13 alone")
def test_compliance_trestle_reads_the_oscal(evidence: Evidence, tmp_path: Path) -> None:
    """Guards against: OSCAL that another program refuses, though the schema takes it."""
    from trestle.oscal.assessment_plan import AssessmentPlan  # noqa: PLC0415 - slow to import
    from trestle.oscal.assessment_results import AssessmentResults  # noqa: PLC0415 - the same

    evidence.write(tmp_path / "pack")
    folder = tmp_path / "pack" / "oscal"
    plan = AssessmentPlan.oscal_read(folder / "assessment-plan.json")
    results = AssessmentResults.oscal_read(folder / "assessment-results.json")
    assert isinstance(plan, AssessmentPlan)
    assert isinstance(results, AssessmentResults)
    assert plan.metadata.oscal_version.root.root == "1.2.1"
    assert len(results.results[0].findings or ()) == 6
