"""Snapshots from a file, from outputs and from a plan; bad input is one clear error."""

from __future__ import annotations

import copy
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.cli.main import ekm, run
from openai_ekm.diagnosis import diagnose
from openai_ekm.errors import BadInput
from openai_ekm.proof import EXIT_CODES, Judged, prove
from openai_ekm.proof.gaps import ABSENT
from openai_ekm.snapshot import UNSEEN, Role, Snapshot, file, plan, symbols, terraform_outputs
from openai_ekm.terraform import select_instance
from tests.constants import ACCOUNT, KEY
from tests.support.plans import ROLE, ROOT, a_plan, policies, write_documents

if TYPE_CHECKING:
    from pathlib import Path


def outputs() -> dict[str, Any]:
    """What `terraform output -json` prints after an apply."""
    values = {
        "role_arn": ROLE,
        "kms_arn": KEY,
        "key_arn": KEY,
        "external_id": "org-abc",
        "external_ids": ["org-abc"],
        "policies": policies(KEY),
    }
    return {name: {"sensitive": False, "value": value} for name, value in values.items()}


def test_outputs_tell_documents_and_registration_and_no_more() -> None:
    """A state that nobody looked at would be reported as seen."""
    for body in (outputs(), {"ekm": {"value": {n: v["value"] for n, v in outputs().items()}}}):
        found = terraform_outputs.made_of(select_instance(body, "x"), "Terraform's outputs")
        assert found.registration.role_arn == ROLE
        assert diagnose(found).outcome == "undecided"
        assert found.keys is not UNSEEN
        assert found.keys[0].state is UNSEEN
        assert {"grants", "scps", "rcps", "permissions_boundary"} <= set(found.unseen())


def test_the_policy_of_an_existing_key_is_not_seen_in_outputs() -> None:
    """A key policy that no output tells would be taken for none, or for a good one."""
    body = outputs()
    body["policies"]["value"]["key_policy"] = None
    found = terraform_outputs.made_of(select_instance(body, "x"), "Terraform's outputs")
    assert "keys[0].policy" in found.unseen()
    assert diagnose(found).faults[0].id == "not_seen"


def test_an_arn_that_is_not_known_is_the_same_everywhere_in_a_plan() -> None:
    """Policies that will fit together would be judged as if they did not."""
    found = plan.snapshot_of(a_plan())
    assert found.keys is not UNSEEN
    stand_in = found.keys[0].arn
    assert stand_in == f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{symbols.KEY_ID}"
    assert found.registration.kms_arn == stand_in
    assert isinstance(found.role, Role)
    assert found.role.permission_policies is not UNSEEN
    assert found.role.permission_policies[0].document["Statement"][0]["Resource"] == stand_in
    assert found.role.arn == ROLE
    assert diagnose(found).outcome == "ok"
    assert Snapshot.from_json(found.as_json()) == found


@pytest.mark.parametrize("known", [None, [ROOT]])
def test_an_administrator_who_is_made_by_the_same_plan_is_a_role_of_the_account(
    known: list[str] | None,
) -> None:
    """A key policy that names a role to come is called malformed, and every claim fails."""
    body = a_plan()
    change = body["resource_changes"][0]["change"]
    named = {} if known is None else {"AWS": [*known, None]}
    administer = {
        "Sid": "AllowAdministration",
        "Effect": "Allow",
        "Action": "kms:PutKeyPolicy",
        "Resource": "*",
    }
    change["after"]["input"]["key_policy"]["Statement"] += [{**administer, "Principal": named}]
    unknown = {"AWS": True if known is None else [False, True]}
    change["after_unknown"]["input"]["key_policy"] = {"Statement": [{}, {"Principal": unknown}]}
    found = plan.snapshot_of(write_documents(body))
    assert found.keys is not UNSEEN
    principal = found.keys[0].policy["Statement"][1]["Principal"]["AWS"]
    stand_in = f"arn:aws:iam::{ACCOUNT}:role/{symbols.PRINCIPAL}"
    assert principal == [*(known or []), stand_in]
    assert diagnose(found).outcome == "ok"
    assert prove(found, assume=ABSENT).holds


def deferred() -> dict[str, Any]:
    """A plan whose module is called after something that changes: the account is not known."""
    body = a_plan()
    body["prior_state"]["values"]["root_module"]["resources"] = []
    change = body["resource_changes"][0]["change"]
    statement = change["after"]["input"]["key_policy"]["Statement"][0]
    statement["Sid"] = "AllowUseByRole"
    statement["Principal"], statement["Condition"] = {}, {"ArnEquals": {}}
    administer = {"Sid": "AllowAdministration", "Effect": "Allow", "Principal": {"AWS": [None]}}
    change["after"]["input"]["key_policy"]["Statement"].append(
        {**administer, "Action": "kms:PutKeyPolicy", "Resource": "*"}
    )
    change["after_unknown"]["input"]["key_policy"] = {
        "Statement": [
            {"Principal": {"AWS": True}, "Condition": {"ArnEquals": {"aws:PrincipalArn": True}}},
            {"Principal": {"AWS": [True]}},
        ]
    }
    return write_documents(body)


def test_an_account_that_is_not_known_is_one_account_and_is_never_shown() -> None:
    """A module that is called with depends_on fails its gate, with an account that nobody has."""
    found = plan.snapshot_of(deferred())
    account = found.unknown_account
    assert account is not None
    assert isinstance(found.role, Role)
    assert found.role.arn == f"arn:aws:iam::{account}:role/team/openai-ekm"
    assert found.keys is not UNSEEN
    root = found.keys[0].policy["Statement"][1]["Principal"]["AWS"]
    assert root == [f"arn:aws:iam::{account}:root"]
    proof = prove(found, assume=ABSENT)
    assert [each.id for each in proof.claims if not each.holds] == []
    assert diagnose(found).outcome == "ok"  # a Region that is not known is no mistyped ARN
    assert Snapshot.from_json(found.as_json()) == found
    # What is open stays open: the same account, delegated to.
    body = deferred()
    statement = body["resource_changes"][0]["change"]["after"]["input"]["key_policy"]["Statement"]
    statement[1]["Action"] = "kms:*"
    shut = copy.deepcopy(body)
    shut["resource_changes"][0]["change"]["after"]["input"]["trust_policy"]["Statement"] = [
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    ]
    for verb, plan_, words in (
        ("prove", body, ["--json"]),
        ("prove", body, []),
        ("diagnose", shut, ["--json"]),
        ("diagnose", shut, []),
    ):
        shown = CliRunner().invoke(
            ekm,
            [verb, "--from-plan", "-", *words],
            input=json.dumps(write_documents(plan_)),
            standalone_mode=False,
        )
        assert shown.return_value == 1
        assert "(account not known before apply)" in shown.stdout
        for invented in (account, symbols.KEY_ID, symbols.REGION):
            assert invented not in shown.stdout


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (("trust_policy", "Condition"), "trust_policy"),
        (("permission_policy", "Condition"), "permission_policies"),
        (("key_policy", "Principal"), "keys[0].policy"),
    ],
)
def test_a_document_with_a_value_that_nobody_knows_is_not_judged(
    place: tuple[str, str], path: str
) -> None:
    """A VPC endpoint that the same apply makes is compared with a key's ARN, and a claim fails."""
    body = a_plan()
    change = body["resource_changes"][0]["change"]
    document = change["after"]["input"][place[0]]
    added: dict[str, Any] = {"Sid": "Extra", "Effect": "Allow", "Action": "kms:Decrypt"}
    document["Statement"].append(
        {**added, "Resource": "*", "Principal": {}, "Condition": {"StringEquals": {}}}
    )
    unknown = (
        {"AWS": True} if place[1] == "Principal" else {"StringEquals": {"aws:SourceVpce": True}}
    )
    marks: list[Any] = [{}] * (len(document["Statement"]) - 1)
    change["after_unknown"]["input"][place[0]] = {"Statement": [*marks, {place[1]: unknown}]}
    found = plan.snapshot_of(write_documents(body))
    assert path in found.unseen()
    assert "Statement" in found.reasons[path]
    claims = prove(found, assume=ABSENT).claims
    assert path in {gap.path for each in claims for gap in each.undecided_by}


def test_a_fault_shows_in_a_plan_before_the_apply() -> None:
    """A pull request that shuts OpenAI out would pass."""
    body = a_plan()
    body["resource_changes"][0]["change"]["after"]["input"]["key_policy"]["Statement"] = [
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    ]
    assert diagnose(plan.snapshot_of(write_documents(body))).outcome == "encrypt_denied"


def test_one_of_several_instances_is_chosen_by_address() -> None:
    """One instance's key would be judged by another's documents."""
    body = a_plan('module.ekm["a"].', 'module.ekm["b"].')
    with pytest.raises(BadInput) as refused:
        plan.snapshot_of(body)
    assert refused.value.id == "plan_with_several_instances"
    assert diagnose(plan.snapshot_of(body, module='module.ekm["b"]')).outcome == "ok"


@pytest.mark.parametrize("body", [{}, {"resource_changes": 7}, {"resource_changes": [7]}])
def test_what_is_no_plan_is_refused(body: dict[str, Any]) -> None:
    """Another JSON file would end in a traceback."""
    with pytest.raises(BadInput):
        plan.snapshot_of(body)
    with pytest.raises(BadInput):
        terraform_outputs.made_of(select_instance(body, "x"), "Terraform's outputs")


def test_a_plan_without_a_resource_is_a_plan_without_the_module() -> None:
    """Guards against: a message that says that a plan is none."""
    with pytest.raises(BadInput) as refused:
        plan.snapshots_of({"format_version": "1.2", "planned_values": {}})
    assert refused.value.id == "plan_without_documents"


def snapshot_file(folder: Path, body: Any) -> str:
    """A snapshot in a file."""
    path = folder / "s.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    return str(path)


def test_the_command_exits_by_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline would go on past a fault, or stop at none."""
    body = terraform_outputs.made_of(select_instance(outputs(), "x"), "x").as_json()
    right = snapshot_file(tmp_path, body)
    assert run(ekm, "ekm", ["diagnose", right, "--json"]) == 8
    assert json.loads(capsys.readouterr().out)["outcome"] == "undecided"
    body["keys"][0]["state"] = "Enabled"
    right = snapshot_file(tmp_path, body)
    assert run(ekm, "ekm", ["diagnose", right, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "ok"
    wrong = copy.deepcopy(body)
    wrong["registration"]["external_id"] = "org-ABC"
    path = snapshot_file(tmp_path, wrong)
    assert run(ekm, "ekm", ["diagnose", path, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {"outcome", "decisions", "faults", "warnings", "unseen"}
    assert set(found["faults"][0]) >= {
        "document", "statement", "sid", "element", "found", "needed", "message", "remedy", "fix",
    }  # fmt: skip
    assert run(ekm, "ekm", ["diagnose", path]) == 1
    text = capsys.readouterr().out
    assert "fault[external_id_case]" in text
    assert "trust_policy, statement 0" in text


def test_a_snapshot_is_made_from_a_plan_on_standard_input() -> None:
    """A pipeline of terraform show, ekm snapshot and ekm diagnose would break."""
    made = CliRunner().invoke(ekm, ["snapshot", "--from-plan", "-"], input=json.dumps(a_plan()))
    assert made.exit_code == 0
    told = CliRunner().invoke(
        ekm, ["diagnose", "-", "--json"], input=made.stdout, standalone_mode=False
    )
    assert told.return_value == 0, told.output


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (("An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn is "
         "not authorized to perform: sts:AssumeRole on resource: arn"), "assume_role_denied"),
        (("User: a is not authorized to perform: kms:Encrypt on resource: k because no "
         "identity-based policy allows the kms:Encrypt action"), "encrypt_denied"),
        (("is not authorized to perform: kms:Decrypt on this resource because the resource does "
         "not exist in this Region, no resource-based policies allow access"), "decrypt_denied"),
        (f"{KEY} is disabled.", "key_disabled"),
        (f"{KEY} is pending deletion.", "key_pending_deletion"),
        (f"Key '{KEY}' does not exist", "key_not_found"),
    ],
)  # fmt: skip
def test_an_error_text_is_explained_without_a_snapshot(
    text: str, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has nothing but OpenAI's answer would get no help."""
    assert run(ekm, "ekm", ["diagnose", "--error", text, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == found["error"]["outcome"] == outcome
    assert found["error"]["causes"]


def test_an_error_text_is_narrowed_by_a_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Causes that the snapshot rules out would still be searched for."""
    path = snapshot_file(
        tmp_path, terraform_outputs.made_of(select_instance(outputs(), "x"), "x").as_json()
    )
    text = "is not authorized to perform: sts:AssumeRole on resource"
    assert run(ekm, "ekm", ["diagnose", path, "--error", text, "--json"]) == 1
    causes = json.loads(capsys.readouterr().out)["error"]["causes"]
    assert {cause["document"] for cause in causes} == {"role", "rcps"}
    assert run(ekm, "ekm", ["diagnose", "--error", "no such text"]) == 2


def refused(arguments: list[str]) -> bool:
    """Whether a command line is refused as bad input, without a traceback."""
    return run(ekm, "ekm", arguments) == 2


def test_a_file_that_is_no_snapshot_is_one_error(tmp_path: Path) -> None:
    """Bad input would end in a traceback, or in a judgement."""
    bad = tmp_path / "bad"
    deep = b'{"registration":' + b"[" * 200_000
    for content in (b"", b"{", b"\xff\xfe", b"[]", b"7", deep, b'{"registration": 7}'):
        bad.write_bytes(content)
        assert refused(["diagnose", str(bad)])
        assert refused(["snapshot", "--from-plan", str(bad)])
    assert refused(["diagnose", str(tmp_path / "none")])
    assert refused(["diagnose", str(bad), "--from-plan", str(bad)])
    assert refused(["snapshot", "--from-plan", "x", "--role-arn", "y"])


@pytest.mark.parametrize(
    ("member", "entry"),
    [("keys", {"arn": KEY}), ("aliases", {"arn": KEY.replace("key/", "alias/"), "target": KEY})],
)
def test_what_is_there_twice_is_refused(member: str, entry: dict[str, Any]) -> None:
    """One of two policies of a key is judged, and nobody knows which."""
    body: dict[str, Any] = {
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        member: [entry, {**entry, "extra": 1} if member == "aliases" else {**entry, "policy": {}}],
    }
    with pytest.raises(BadInput) as refused:
        Snapshot.from_json(body)
    assert refused.value.id == "snapshot_duplicate"
    assert refused.value.at_fault == f"{member}[1]"
    body[member].pop()
    Snapshot.from_json(body)


def read_stdin(content: bytes) -> Snapshot:
    """The snapshot that standard input holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return file.read_snapshot("-")


def test_more_than_the_most_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless input would fill the memory."""
    monkeypatch.setattr("openai_ekm.json_reader.LARGEST", 10)
    with pytest.raises(BadInput, match="longer than 10 bytes"):
        read_stdin(b"x" * 11)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["registration", "role", "arn", "keys", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    """A member of an odd type would end in a traceback."""
    text = json.dumps(value).encode()
    try:
        found = read_stdin(text)
    except BadInput:
        return
    diagnose(found)


def test_a_plan_is_proven_without_a_snapshot_between() -> None:
    """`ekm prove` takes other options than `ekm diagnose`, or proves something else by them."""
    made = CliRunner().invoke(
        ekm,
        ["prove", "--from-plan", "-", "--json"],
        input=json.dumps(a_plan()),
        standalone_mode=False,
    )
    snapshot = plan.snapshot_of(a_plan())
    proof = prove(snapshot)
    assert json.loads(made.stdout) == json.loads(json.dumps(Judged("", snapshot, proof).as_json()))
    assert made.return_value == EXIT_CODES[proof.answer]
    both = CliRunner().invoke(ekm, ["prove", "s.json", "--from-plan", "-"])
    assert isinstance(both.exception, BadInput)
    assert both.exception.id == "option_useless"


def test_every_instance_of_a_plan_is_judged_in_one_go(tmp_path: Path) -> None:
    """A fleet's plan ends with exit 2, or one key's alerts replace another's."""
    body = a_plan('module.ekm["a"].', 'module.ekm["b"].')
    words = ["prove", "--from-plan", "-", "--assume-none", "scps,rcps,permissions_boundary"]

    def told(*more: str) -> Any:
        given = [*words, "--assume-none", "grants", *more]
        return CliRunner().invoke(
            ekm, given, input=json.dumps(write_documents(body)), standalone_mode=False
        )

    by_rule = body["resource_changes"][0]["change"]["after"]["input"]["key_policy"]["Statement"]
    administer = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:PutKeyPolicy"}
    for each in body["resource_changes"]:
        if each["type"] == "terraform_data":
            policy = each["change"]["after"]["input"]["key_policy"]
            policy["Statement"].append({**administer, "Resource": "*"})
    assert told().return_value == 0
    by_rule[1]["Action"] = "kms:*"
    sarif = tmp_path / "ekm.sarif"
    made = told("--json", "--sarif", str(sarif))
    assert made.return_value == 1
    found = json.loads(made.stdout)
    assert (found["answer"], found["holds"]) == ("fails", False)
    answers = {name: each["answer"] for name, each in found["instances"].items()}
    assert answers == {'module.ekm["a"]': "fails", 'module.ekm["b"]': "holds"}
    runs = json.loads(sarif.read_text(encoding="utf-8"))["runs"]
    assert [len(each["results"]) > 0 for each in runs] == [True, False]
    assert len({each["automationDetails"]["id"] for each in runs}) == len(runs)
    text = told().stdout
    assert 'module.ekm["a"]: FAILS' in text
    assert 'module.ekm["b"]: holds' in text
    one = json.loads(told("--json", "--module", 'module.ekm["b"]').stdout)
    assert one["answer"] == "holds"
    assert "instances" not in one


def test_one_instance_of_a_fleet_is_judged_by_its_name() -> None:
    """A fleet's outputs cannot be proven, or another key than the one that is named is."""

    def told(arguments: list[str]) -> Any:
        given = ["snapshot", "--offline", "--from-terraform", "-", *arguments]
        return CliRunner().invoke(ekm, given, input=json.dumps(fleet), standalone_mode=False)

    one: dict[str, Any] = {
        "role_arn": ROLE,
        "kms_arn": KEY,
        "external_id": "org-abc",
        "policies": policies(KEY),
    }
    fleet: dict[str, Any] = {
        "ekm": {"value": {"chat": one, "api": {**one, "external_id": "org-def"}}}
    }
    for module, external_id in (("chat", "org-abc"), ('module.ekm["api"]', "org-def")):
        found = json.loads(told(["--module", module]).stdout)
        assert found["registration"]["external_id"] == external_id
    for arguments in ([], ["--module", "none"]):
        assert told(arguments).exception.id == "terraform_outputs_fleet"
    fleet = {"ekm": {"value": one}}
    assert told(["--module", "chat"]).exception.id == "option_useless"


def test_the_document_that_the_resource_writes_counts() -> None:
    """Guards against: a copy of the module that notes one trust policy and writes another."""
    body = a_plan()
    role = next(each for each in body["resource_changes"] if each["type"] == "aws_iam_role")
    noted = policies(None)["trust_policy"]
    role["change"]["after"]["assume_role_policy"] = json.dumps(noted)
    assert plan.snapshot_of(body).role.trust_policy == noted  # type: ignore[union-attr]
    opened = json.dumps(noted).replace(
        "arn:aws:iam::790389265272:role/EnterpriseKeyManagement", "*"
    )
    role["change"]["after"]["assume_role_policy"] = opened
    claims = {each.id: each.holds for each in prove(plan.snapshot_of(body)).claims}
    assert claims["a"] is False


def test_a_document_that_is_no_policy_fails_its_claim() -> None:
    """Guards against: a traceback where somebody's copy of the module writes no policy."""
    for text in ("", "[]", '{"Statement": [7]}', '{"Statement": {"Condition": 7}}', "[" * 60_000):
        body = a_plan()
        role = next(each for each in body["resource_changes"] if each["type"] == "aws_iam_role")
        role["change"]["after"]["assume_role_policy"] = text
        claims = {each.id: each.holds for each in prove(plan.snapshot_of(body)).claims}
        assert claims["a"] is not True
