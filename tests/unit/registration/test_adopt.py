"""What is adopted, and what comes under the module as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.adoption.adopt_key import choose, project_names
from openai_ekm.adoption.aws import KeyFound, RoleFound, SetUp
from openai_ekm.adoption.hcl_text import hcl, import_blocks, module_block, words
from openai_ekm.adoption.plan import Adoption, instance_name, plan, reason_to_keep_key
from openai_ekm.adoption.policies import administrators
from openai_ekm.errors import BadInput, Conflict
from openai_ekm.openai_api.objects import ExternalKey, Project
from tests.constants import ACCOUNT, KEY, ROLE

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OPENAI = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
REGISTRATION = ExternalKey(
    id="extkey_1", type="aws", purpose="ekm", name="openai-ekm", role_arn=ROLE, kms_arn=KEY,
    external_id="org-abc",
)  # fmt: skip


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


TRUST = document(
    {"Effect": "Allow", "Principal": {"AWS": OPENAI}, "Action": "sts:AssumeRole",
     "Condition": {"StringEquals": {"sts:ExternalId": "org-abc"}}}
)  # fmt: skip
USE = document({"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": KEY})
DELEGATION = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
FOUND = SetUp(
    key=KeyFound(
        arn=KEY, state="Enabled", spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT",
        origin="AWS_KMS", manager="CUSTOMER", multi_region=None, description="Data",
        rotation_days=365, policy=document(DELEGATION), tags={}, aliases=("alias/openai-ekm",),
    ),
    role=RoleFound(
        arn=ROLE, name="openai-ekm", path="/", description="", trust_policy=TRUST,
        inline={"AllowEncryptDecrypt": USE}, attached={}, boundary=None,
        max_session_duration=3600, tags={},
    ),
)  # fmt: skip


def planned(found: SetUp = FOUND, key: ExternalKey = REGISTRATION, **arguments: Any) -> Adoption:
    """The plan, with what is usual."""
    usual: dict[str, Any] = {
        "projects": (),
        "record": "ssm:/openai-ekm/openai-ekm",
        "module_address": "module.ekm",
        "keep_key": False,
        "identity_suffices": True,
    }
    return plan(found, key, **(usual | arguments))


def with_role(**changes: Any) -> SetUp:
    """The set-up with another role."""
    return replace(FOUND, role=replace(FOUND.role, **changes))


def with_key(**changes: Any) -> SetUp:
    """The set-up with another key."""
    return replace(FOUND, key=replace(FOUND.key, **changes))


class TestChoose:
    """Which registration is meant."""

    OTHER = replace(REGISTRATION, id="extkey_2", name="other")

    @pytest.mark.parametrize(
        ("asked", "adopt", "found"),
        [
            ({}, "extkey_2", "extkey_2"),
            ({"name": "other"}, None, "extkey_2"),
            ({"name": "openai-ekm", "kms_arn": KEY}, None, "extkey_1"),
        ],
    )
    def test_whatever_is_given_must_fit(
        self, asked: dict[str, str], adopt: str | None, found: str
    ) -> None:
        """An id or a name is not enough, or the wrong registration is taken."""
        assert choose((REGISTRATION, self.OTHER), asked, adopt).id == found

    def test_several_are_named_and_none_is_taken(self) -> None:
        """One of two is guessed, and the data is under the other."""
        with pytest.raises(Conflict, match=r"extkey_1.*extkey_2") as raised:
            choose((self.OTHER, REGISTRATION), {"role_arn": ROLE}, None)
        assert raised.value.id == "several_matches"

    @pytest.mark.parametrize(
        "key",
        [
            replace(REGISTRATION, type="gcp"),
            replace(REGISTRATION, purpose="psp_decryption"),
            replace(REGISTRATION, kms_arn=None),
            replace(REGISTRATION, external_id="org-another"),
        ],
    )
    def test_what_does_not_fit_is_not_taken(self, key: ExternalKey) -> None:
        """Another cloud's key, another purpose, or another organization's is adopted."""
        with pytest.raises(Conflict) as raised:
            choose((key,), {"external_id": "org-abc"}, None)
        assert raised.value.id == "nothing_to_adopt"

    def test_active_projects_are_named_once(self) -> None:
        """A project on another key is taken along, or two of one name become one."""
        key = replace(REGISTRATION, api_project_ids=("p1", "p2"))
        listed = [Project(f"p{n}", name, key.id) for n, name in enumerate("zba")]
        assert project_names(key, listed) == ("a", "b")
        with pytest.raises(Conflict) as raised:
            project_names(key, [Project("p1", "a", key.id), Project("p2", "a", key.id)])
        assert raised.value.id == "several_projects"


class TestPlan:
    """What is imported, kept and announced."""

    def test_the_modules_own_shape_needs_nothing(self) -> None:
        """Values are printed that only say the default again."""
        adoption = planned()
        assert [block.id for block in adoption.imports] == [
            FOUND.key.id,
            "alias/openai-ekm",
            "openai-ekm",
            "openai-ekm:AllowEncryptDecrypt",
        ]
        assert adoption.variables == {
            "external_ids": ["org-abc"],
            "name": "openai-ekm",
            "key_description": "Data",
            "key_policy_mode": "root_delegation",
            "registration": {},
        }
        assert adoption.before == ()
        assert adoption.notices == ()

    def test_names_boundary_tags_and_conditions_are_kept(self) -> None:
        """The first apply replaces the role, takes its boundary off, or lets in more."""
        trust = document(
            {"Effect": "Allow", "Principal": {"AWS": OPENAI}, "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": ["proj_next", "org-abc"]},
                           "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}}
        )  # fmt: skip
        arn = f"arn:aws:iam::{ACCOUNT}:role/team/OpenAI.EKM"
        found = with_role(
            arn=arn, name="OpenAI.EKM", path="/team/", trust_policy=trust, inline={"kms": USE},
            boundary=f"arn:aws:iam::{ACCOUNT}:policy/b", max_session_duration=7200,
            tags={"dp:exclude:identity": "true", "aws:x": "y"},
        )  # fmt: skip
        found = replace(found, key=replace(FOUND.key, rotation_days=180, tags={"team": "a"}))
        adoption = planned(found, replace(REGISTRATION, role_arn=arn), projects=("chat",))
        values = {**adoption.variables}
        assert values.pop("key_policy_mode") == "root_delegation"
        assert values == {
            "external_ids": ["org-abc", "proj_next"],
            "name": "openai-ekm",
            "role_name": "OpenAI.EKM",
            "role_path": "/team/",
            "role_policy_name": "kms",
            "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/b",
            "max_session_duration": 7200,
            "extra_trust_conditions": {
                "DateLessThan": {"aws:CurrentTime": ["2030-01-01T00:00:00Z"]}
            },
            "key_description": "Data",
            "rotation_period_in_days": 180,
            "tags": {"dp:exclude:identity": "true", "team": "a"},
            "projects": ["chat"],
            "registration": {},
        }

    def test_conditions_are_those_of_openais_statement(self) -> None:
        """A second statement hides the condition that narrowed OpenAI's, and it is lost unsaid."""
        narrow = {
            "StringEquals": {"sts:ExternalId": "org-abc"},
            "Bool": {"aws:SecureTransport": "true"},
        }
        trust = document(
            {**TRUST["Statement"][0], "Condition": narrow},
            {"Sid": "People", "Effect": "Allow", "Principal": {"AWS": ROOT},
             "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": "another-vendor"}}},
        )  # fmt: skip
        adoption = planned(with_role(trust_policy=trust))
        assert adoption.variables["external_ids"] == ["org-abc"]
        assert adoption.variables["extra_trust_conditions"] == {
            "Bool": {"aws:SecureTransport": ["true"]}
        }
        assert any("trust statements that go: People" in it.what for it in adoption.changes)

    @pytest.mark.parametrize(
        ("inline", "attached"),
        [({}, {"use": f"arn:aws:iam::{ACCOUNT}:policy/use"}), ({"a": USE, "b": USE}, {})],
    )
    def test_a_policy_that_is_not_the_modules_stays_until_its_own_is_there(
        self, inline: dict[str, Any], attached: dict[str, str]
    ) -> None:
        """The old policy goes first, and OpenAI is refused until the new one is there."""
        adoption = planned(with_role(inline=inline, attached=attached))
        assert all("role_policy" not in block.to for block in adoption.imports)
        created = {change.address for change in adoption.changes if change.action == "create"}
        assert "module.ekm.module.role.aws_iam_role_policy.use" in created
        removed = [step for step in adoption.after if "-role-policy" in step]
        assert len(removed) == len(inline) + len(attached)

    def test_a_role_without_a_policy_gets_one_before_the_key_is_narrowed(self) -> None:
        """The key policy, which named the role, is narrowed while the role has no policy."""
        adoption = planned(with_role(inline={}), identity_suffices=False)
        assert len(adoption.before) == 1
        assert KEY in adoption.before[0]
        assert adoption.imports[-1].id == "openai-ekm:AllowEncryptDecrypt"
        assert planned(with_role(inline={}), identity_suffices=False, keep_key=True).before == ()

    def test_administrators_of_a_policy_without_the_account_stay_alone(self) -> None:
        """Adopting gives the whole account a key that only two people administered."""
        named = {"Effect": "Allow", "Principal": {"AWS": [ROLE, f"arn:aws:iam::{ACCOUNT}:user/a",
                 "AROAEXAMPLEID"]}, "Action": "kms:Put*", "Resource": "*"}  # fmt: skip
        values = planned(with_key(policy=document(named))).variables
        assert values["administrators"] == [f"arn:aws:iam::{ACCOUNT}:user/a"]
        assert values["account_root_administers"] is False
        assert "key_policy_mode" not in values
        both = planned(with_key(policy=document(DELEGATION, named))).variables
        assert "account_root_administers" not in both

    def test_a_conditional_delegation_is_no_delegation(self) -> None:
        """A narrowed policy is widened to AWS's default."""
        narrowed = {**DELEGATION, "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}}
        assert "key_policy_mode" not in planned(with_key(policy=document(narrowed))).variables

    @pytest.mark.parametrize(
        ("changes", "kms_arn", "reason"),
        [
            ({}, KEY.partition("key/")[0] + "alias/x", "alias"),
            ({"multi_region": "REPLICA"}, KEY, "replica"),
            ({"origin": "EXTERNAL"}, KEY, "EXTERNAL"),
        ],
    )
    def test_a_key_that_the_module_does_not_make_stays_outside(
        self, changes: dict[str, str], kms_arn: str, reason: str
    ) -> None:
        """Such a key is imported, and the next plan replaces it or registers another ARN."""
        found = with_key(**changes)
        assert reason in str(reason_to_keep_key(found, kms_arn))
        adoption = planned(found, replace(REGISTRATION, kms_arn=kms_arn))
        assert adoption.variables["kms_key_arn"] == kms_arn
        assert all("aws_kms" not in block.to for block in adoption.imports)
        assert any(reason in notice for notice in adoption.notices)

    @pytest.mark.parametrize(
        "changes",
        [
            {"spec": "RSA_2048"},
            {"manager": "AWS"},
            {"arn": KEY.replace(ACCOUNT, "444455556666")},
        ],
    )
    def test_a_key_that_cannot_work_is_refused(self, changes: dict[str, str]) -> None:
        """A plan is printed whose first apply fails half-way."""
        with pytest.raises(BadInput) as raised:
            planned(with_key(**changes))
        assert raised.value.id == "key_not_adoptable"

    def test_a_role_with_another_path_is_another_role(self) -> None:
        """IAM finds a role by its name alone, and the wrong one is adopted."""
        with pytest.raises(Conflict) as raised:
            planned(with_role(arn=ROLE.replace("role/", "role/x/"), path="/x/"))
        assert raised.value.id == "role_differs"

    def test_what_deserves_a_look_is_said(self) -> None:
        """A disabled key, a workspace, or a tag that loses its value is passed over."""
        found = with_role(tags={"team": "a"})
        found = replace(found, key=replace(FOUND.key, state="Disabled", tags={"team": "b"}))
        key = replace(REGISTRATION, workspace_id="ws_1")
        said = " ".join(planned(found, key, record="file:x.json").notices)
        for words_ in ("Disabled", "ws_1", "ssm:/openai-ekm/openai-ekm", "team"):
            assert words_ in said


@pytest.mark.parametrize(
    ("record", "role", "name"),
    [
        ("ssm:/openai-ekm/prod", "r", "prod"),
        ("ssm:/elsewhere/prod", "r", "r"),
        ("file:x.json", "OpenAI.EKM@x", "OpenAI-EKM-x"),
        (None, "r", "r"),
    ],
)
def test_the_instance_is_called_as_its_record(record: str | None, role: str, name: str) -> None:
    """The module reads another record than the one that was written."""
    assert instance_name(record, role) == name


class TestText:
    """What is pasted."""

    def test_values_are_taken_literally(self) -> None:
        """A policy variable or a quote in a value becomes an expression of Terraform's."""
        assert hcl('${aws:username} %{x} "q"') == '"$${aws:username} %%{x} \\"q\\""'
        assert hcl({"aws:x": ["a"], "ok": True}) == '{\n  "aws:x" = ["a"]\n  ok      = true\n}'
        assert hcl({}) == "{}"

    def test_an_instance_of_a_fleet_is_named_as_such(self) -> None:
        """The blocks of a fleet's instance are printed for a module of its own."""
        adoption = planned(module_address='module.team.module.ekm["prod"]')
        assert 'to = module.team.module.ekm["prod"].module.role.aws_iam_role.this' in import_blocks(
            adoption
        )
        block = module_block(adoption)
        assert block.startswith('# Where module.team.module.ekm["prod"] is called.')
        assert 'module "ekm" {' in block
        assert "for_each" in block
        assert "count" in module_block(planned(module_address="module.ekm[0]"))

    def test_the_steps_begin_with_what_must_come_first(self) -> None:
        """The policy that the role needs is named after the apply that needs it."""
        text = "\n".join(
            words(planned(with_role(inline={}), identity_suffices=False), "ssm:/openai-ekm/prod")
        )
        assert (
            text.index("put-role-policy")
            < text.index("terraform plan")
            < text.index("terraform apply")
        )
        assert "4 to import and 0 to destroy" in text
        assert "`ekm validate --record ssm:/openai-ekm/prod`" in text


def test_an_action_that_only_looks_like_kmss_makes_no_administrator() -> None:
    """KELVIN SIGN counts as `k`: a principal would be written down as an administrator."""
    admin = f"arn:aws:iam::{ACCOUNT}:role/admin"
    for service, expected in (("KMS", {admin}), ("\u212ams", set[str]())):
        allow = {"Effect": "Allow", "Principal": {"AWS": admin}, "Action": f"{service}:Put*"}
        key = replace(FOUND.key, policy=document({**allow, "Resource": "*"}))
        assert administrators(key, ROLE) == expected
