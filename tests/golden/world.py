"""AWS, OpenAI and a user's folder in one process, and a transcript of what verbs do there.

AWS is moto, OpenAI is the emulator, and both are the real parts' own code paths: botocore builds
each request, and the emulator judges the live policies. Nothing leaves the process.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.config import default_user_config
from starlette.testclient import TestClient

from openai_ekm.cli.main import load_verb, run
from openai_ekm.emulator.accounts import Accounts
from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import ALL_SCOPES, AdminKeys
from openai_ekm.emulator.aws_check import AwsCheck
from openai_ekm.emulator.iam_propagation import IamPropagation
from openai_ekm.emulator.settings import Settings
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store
from openai_ekm.openai_api.transport import AnswerLost, HttpRequest, HttpResponse, NeverSent
from openai_ekm.registration.record import LEASE
from tests.constants import ACCOUNT, REGION, SECRET
from tests.support.masking import masked
from tests.support.schemas import faults_of, name_of_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

__all__ = ["Golden", "masked"]

NOW: Final = 1_795_000_000.0
PATH_OF_THE_API: Final = "/v1"


@dataclass
class Golden:
    """The world of one story.

    Args:
        capsys: Reads what a verb prints.
        monkeypatch: Sets variables and puts the emulator in OpenAI's place.
    """

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    transcript: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Callable[[], HttpResponse | None]] = field(default_factory=list)
    role_arn: str = f"arn:aws:iam::{ACCOUNT}:role/openai-ekm"
    kms_arn: str = ""

    def __post_init__(self) -> None:
        self._openai: list[str] = []
        self._aws: list[str] = []
        self._deaf = False
        self._seen: dict[str, str] = {}
        self.aws_refusal: str | None = None
        self.refusing = ""  # how the host of what refuses begins: a service, or every one
        store = self._store = Store()
        ticks = itertools.count()
        self.emulator = Emulator(
            store=store,
            keys=AdminKeys.of({SECRET: ALL_SCOPES}),
            cloud=AwsCheck(
                Accounts(None),  # type: ignore[arg-type]  # AWS's own addresses, which moto answers
                IamPropagation(store, seconds=0, clock=lambda: NOW),
            ),
            clock=lambda: NOW + next(ticks),  # what is made later has a later time
            settings=Settings(shuffle_project_ids=False),
        )
        self._client = TestClient(
            create_app(self.emulator, hang_up=lambda *_: None),
            base_url="http://127.0.0.1",  # the emulator answers no other host
            raise_server_exceptions=False,
        )
        self._set_environment()
        boto3.DEFAULT_SESSION = None

    def _set_environment(self) -> None:
        for name in list(os.environ):
            if name.startswith(("EKM_", "AWS_", "OPENAI_")):
                self.monkeypatch.delenv(name)
        for name, value in {
            "OPENAI_ADMIN_KEY": SECRET,
            "EKM_CALLS_PER_MINUTE": "0",
            "EKM_WAIT_SECONDS": "0",
            "EKM_LIST_LAG_SECONDS": "0",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            self.monkeypatch.setenv(name, value)
        # LocalStack's moto serves only what LocalStack does unless it is told otherwise.
        self.monkeypatch.setitem(default_user_config["core"], "service_whitelist", None)
        ids = itertools.count(1)  # in order, since verbs sort by id
        self.monkeypatch.setattr("secrets.token_hex", lambda size: f"{next(ids):0{2 * size}x}")
        self.monkeypatch.setattr(
            "openai_ekm.openai_api.transport.RequestsTransport", lambda *_, **__: self
        )
        no_wait = SimpleNamespace(**vars(time) | {"sleep": lambda _seconds: None})
        self.monkeypatch.setattr("openai_ekm.cli.session.time", no_wait)
        # A lease is as good as new, however long a run takes: none is renewed.
        self.monkeypatch.setattr("openai_ekm.registration.runner.RENEW_AFTER", math.inf)
        self.monkeypatch.setattr("openai_ekm.registration.ssm_store._left", lambda *_: LEASE)
        make = boto3.Session.client

        def recorded(session: boto3.Session, *words: Any, **named: Any) -> Any:
            client = make(session, *words, **named)
            client.meta.events.register("before-call", self._note_aws)
            client.meta.events.register_first("before-send", self._refuse)
            client.meta.events.register("provide-client-params.kms.*", _name_key_by_id)
            return client

        self.monkeypatch.setattr(boto3.Session, "client", recorded)

    def _note_aws(self, model: Any, **_: Any) -> None:
        if not self._deaf:
            self._aws.append(f"{model.service_model.service_id} {model.name}")

    def _refuse(self, request: Any, **_: Any) -> AWSResponse | None:
        """Answer as AWS does to who may not, while `aws_refusal` gives the code of it."""
        host = request.url.split("/")[2]
        if self.aws_refusal is None or self._deaf or not host.startswith(self.refusing):
            return None
        body = json.dumps({"__type": self.aws_refusal, "message": "not authorized"})
        if host.startswith(("sts.", "iam.")):
            error = f"<Code>{self.aws_refusal}</Code><Message>not authorized</Message>"
            body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        return AWSResponse(request.url, 400, HTTPHeaders(), _Raw(body.encode()))

    def close(self) -> None:
        """Close the emulator's database."""
        self._store.close()

    @contextlib.contextmanager
    def _unheard(self) -> Iterator[None]:
        """Note no call to AWS meanwhile."""
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = False

    def send(self, request: HttpRequest) -> HttpResponse:
        """Be the client's transport: a fault that is due, or the emulator's answer."""
        self._openai.append(f"{request.method} {request.path}")
        fault = self.faults.pop(0) if self.faults else None
        answer = fault() if fault is not None else None
        if answer is not None:
            return answer
        with self._unheard():  # the emulator's own calls are not the verb's
            response = self._client.request(
                request.method,
                PATH_OF_THE_API + request.path,
                params=dict(request.query),
                json=request.body,
                headers={"Authorization": f"Bearer {SECRET}"},
            )
        return HttpResponse(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
        )

    def make_key_and_role(self, **key: Any) -> None:
        """Make in AWS what the module makes: key, alias, role, policies."""
        kms, iam = boto3.client("kms"), boto3.client("iam")
        iam.create_user(UserName="admin")
        credentials = iam.create_access_key(UserName="admin")["AccessKey"]
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
        key = {"KeyUsage": "ENCRYPT_DECRYPT", **key}
        made = kms.create_key(Policy=json.dumps(self.key_policy()), **key)
        self.kms_arn = made["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/openai-ekm", TargetKeyId=self.kms_arn)
        iam.create_role(RoleName="openai-ekm", AssumeRolePolicyDocument=json.dumps(trust_policy()))
        iam.put_role_policy(
            RoleName="openai-ekm",
            PolicyName="AllowEncryptDecrypt",
            PolicyDocument=json.dumps(use_policy(self.kms_arn)),
        )
        for name, value in {
            "EKM_ROLE_ARN": self.role_arn,
            "EKM_KMS_ARN": self.kms_arn,
            "EKM_EXTERNAL_ID": "org-abc123",
            "EKM_NAME": "prod",
            "EKM_RECORD": "ssm:/openai-ekm/prod",
        }.items():
            self.monkeypatch.setenv(name, value)
        self._aws.clear()

    def let_caller_do_everything(self) -> None:
        """Give the user who calls a policy that allows everything."""
        everything = json.dumps(policy({"Action": "*"}))
        with self._unheard():
            boto3.client("iam").put_user_policy(
                UserName="admin", PolicyName="everything", PolicyDocument=everything
            )

    def make_trail_and_rule(self) -> None:
        """Make a trail that logs every management event, and a rule on events of KMS."""
        with self._unheard():
            boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="trail-of-this-test")
            trail = boto3.client("cloudtrail", region_name="us-east-1")
            trail.create_trail(
                Name="all", S3BucketName="trail-of-this-test", IsMultiRegionTrail=True
            )
            trail.start_logging(Name="all")
            boto3.client("events").put_rule(
                Name="watch", EventPattern=json.dumps({"source": ["aws.kms"]})
            )

    def make_topics(self) -> list[str]:
        """Make the topics of the severities that a test of the monitoring listens to."""
        with self._unheard():
            sns = boto3.client("sns")
            return [
                str(sns.create_topic(Name=f"openai-ekm-{severity}")["TopicArn"])
                for severity in ("warning", "info")
            ]

    def set_key_policy(self, *statements: dict[str, Any]) -> None:
        """Replace the key policy."""
        with self._unheard():
            boto3.client("kms").put_key_policy(
                KeyId=self.kms_arn, PolicyName="default", Policy=json.dumps(policy(*statements))
            )

    def key_policy(self) -> dict[str, Any]:
        """The module's key policy."""
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        administer = [
            *("kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:EnableKey"),
            *("kms:DisableKey", "kms:ListGrants", "kms:ListResourceTags", "kms:TagResource"),
        ]
        return policy(
            {"Sid": "AllowAdministration", "Principal": root, "Action": administer},
            {
                "Sid": "AllowUseByRole",
                "Principal": root,
                "Action": ["kms:Decrypt", "kms:Encrypt"],
                "Condition": {"ArnEquals": {"aws:PrincipalArn": self.role_arn}},
            },
            {
                "Sid": "DenyKeyDeletion",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "kms:ScheduleKeyDeletion",
            },
        )

    def trust_policy(self) -> dict[str, Any]:
        """The module's trust policy."""
        return trust_policy()

    def use_policy(self) -> dict[str, Any]:
        """The module's identity policy."""
        return use_policy(self.kms_arn)

    def set_trust_policy(self, document: dict[str, Any]) -> None:
        """Replace the role's trust policy."""
        boto3.client("iam").update_assume_role_policy(
            RoleName="openai-ekm", PolicyDocument=json.dumps(document)
        )
        self._aws.clear()

    def run(self, verb: str, *words: str, stdin: str = "", **variables: str) -> dict[str, Any]:
        """Run a verb with `--json` and add what it did to the transcript.

        Returns:
            The document on standard output, unmasked; an empty one where there was none.
        """
        self._openai.clear()
        self._aws.clear()
        before = self._files()
        with self.monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            code = run(load_verb(verb), verb, [*words, "--json"])
        out, err = self.capsys.readouterr()
        assert SECRET not in out + err
        assert "Traceback" not in err
        printed = self._read(out)
        after = self._files()
        self.transcript.append(
            {
                "command": masked([verb, *words], self._seen),
                "exit": code,
                "json": masked(printed, self._seen),
                "openai": masked(list(self._openai), self._seen),
                "aws": list(self._aws),
                "parameters": masked(self._parameters(), self._seen),
                "files": {name: after[name] for name in after if after[name] != before.get(name)},
            }
        )
        return printed if isinstance(printed, dict) else {}

    @staticmethod
    def _read(out: str) -> Any:
        try:
            return json.loads(out)
        except ValueError:
            lines = [line for line in out.splitlines() if line.startswith("{")]
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            return "<no JSON>"

    def _files(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in sorted(Path().iterdir()):
            if path.is_file() and path.suffix in {".json", ".sarif"}:
                content = self._read(path.read_text())
                _hold_to_schema(content)
                found[path.name] = masked(content, self._seen)
        return found

    def _parameters(self) -> dict[str, Any]:
        with self._unheard():
            ssm = boto3.client("ssm", region_name=REGION)
            found = ssm.get_parameters_by_path(Path="/openai-ekm", Recursive=True)["Parameters"]
        parameters = {each["Name"]: json.loads(each["Value"]) for each in found}
        for content in parameters.values():
            _hold_to_schema(content)
        return parameters


def _hold_to_schema(document: Any) -> None:
    """Hold what a verb leaves behind to the schema that it names; `/99` is a story's own."""
    name = name_of_format(document)
    if name is not None and not document["schema"].endswith("/99"):
        assert not faults_of(name, document)


class _Raw(io.BytesIO):
    """The body of an answer, as urllib3 gives it."""

    def stream(self, *_: Any) -> Iterator[bytes]:
        """Return the whole of it."""
        yield self.read()


def _name_key_by_id(params: dict[str, Any], **_: Any) -> None:
    """Give moto the bare id of a key: some of its calls know no ARN, which AWS takes."""
    if ":key/" in params.get("KeyId", ""):
        params["KeyId"] = params["KeyId"].partition(":key/")[2]


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document whose statements allow, on every resource, unless they say otherwise."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
    }


def trust_policy(*external_ids: str) -> dict[str, Any]:
    """The module's trust policy."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowOpenAI",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_ids or ["org-abc123"]}},
            }
        ],
    }


def use_policy(kms_arn: str) -> dict[str, Any]:
    """The module's identity policy."""
    return policy(
        {
            "Sid": "AllowEncryptDecrypt",
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": kms_arn,
        }
    )


def answers(status: int, body: bytes, **headers: str) -> Callable[[], HttpResponse]:
    """A fault: another answer than OpenAI's own, which did nothing."""
    return lambda: HttpResponse(status, {"x-request-id": "req_golden", **headers}, body)


def refuses_connection() -> HttpResponse:
    """A fault: nothing listens."""
    raise NeverSent("connection refused")


def loses_the_answer() -> HttpResponse:
    """A fault: the connection breaks, and OpenAI did nothing."""
    raise AnswerLost("reset by peer")
