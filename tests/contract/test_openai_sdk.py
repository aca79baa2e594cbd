"""OpenAI's own Python SDK against the emulator: what it sends is taken, what it reads is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.resources.admin.organization.organization import Organization

    from openai_ekm.rehearsal import EmulatorProcess
    from tests.doubles.customer import Customer, Http


@pytest.fixture(scope="module")
def sdk() -> Any:
    """The SDK, which takes seconds to import: each worker would do that to collect tests."""
    import openai  # noqa: PLC0415 - see above

    return openai


@pytest.fixture
def organization(sdk: Any, ekm_openai: EmulatorProcess) -> Iterator[Organization]:
    """The SDK's admin resources, strict about every answer."""
    with sdk.OpenAI(
        api_key="unused",
        admin_api_key=ekm_openai.admin_key,
        base_url=ekm_openai.base_url,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client.admin.organization


def test_projects_from_creation_to_the_archive(
    sdk: Any, organization: Organization, api: Http, customer: Customer
) -> None:
    """OpenAI's SDK makes, reads and archives a project of the emulator."""
    key = api.register(customer)
    projects = organization.projects
    made = projects.create(name="p", external_key_id=key, residency="EU_STORAGE_PROCESSING")
    assert (made.external_key_id, made.status) == (key, "active")
    assert projects.retrieve(made.id) == made
    assert made in list(projects.list())
    assert projects.update(made.id, name="q").name == "q"
    archived = projects.archive(made.id)
    assert archived.status == "archived"
    assert archived.archived_at is not None
    assert made.id not in {item.id for item in projects.list()}
    assert made.id in {item.id for item in projects.list(include_archived=True)}
    with pytest.raises(sdk.BadRequestError):
        projects.update(made.id, name="r")


def test_the_sdks_pages_reach_every_project(organization: Organization) -> None:
    """Guards against: pages that end early for the SDK, or never."""
    made = {organization.projects.create(name=f"p{number}").id for number in range(5)}
    found = [item.id for item in organization.projects.list(limit=2)]
    assert made <= set(found)
    assert len(found) == len(set(found))


def test_external_keys_from_registration_to_removal(
    sdk: Any, organization: Organization, customer: Customer
) -> None:
    """OpenAI's SDK makes, reads and deletes a registration of the emulator."""
    keys = organization.external_keys
    made = keys.create(
        type="aws",
        name="prod",
        purpose="ekm",
        role_arn=customer.role_arn,
        kms_arn=customer.kms_arn,
        external_id="org-abc",
    )
    assert (made.type, made.purpose, made.workspace_id) == ("aws", "ekm", "")
    assert keys.retrieve(made.id) == made
    assert keys.validate(made.id).status == "success"
    assert made in list(keys.list(purpose="ekm", order="asc", limit=1))
    project = organization.projects.create(name="p", external_key_id=made.id)
    with pytest.raises(sdk.BadRequestError, match="associated with active projects"):
        keys.delete(made.id)
    organization.projects.archive(project.id)
    assert keys.delete(made.id).object == "organization.external_key.deleted"
    with pytest.raises(sdk.NotFoundError, match=f"The external key {made.id} was not found"):
        keys.retrieve(made.id)


def test_a_refusal_reaches_the_sdk_with_awss_words(
    sdk: Any, organization: Organization, customer: Customer
) -> None:
    """A user of the SDK reads why AWS refused."""
    with pytest.raises(sdk.BadRequestError, match="sts:AssumeRole on resource") as caught:
        organization.external_keys.create(
            type="aws",
            name="prod",
            role_arn=customer.role_arn,
            kms_arn=customer.kms_arn,
            external_id="org-other",
        )
    assert (caught.value.type, caught.value.param) == ("invalid_request_error", None)
    assert caught.value.request_id is not None


def test_both_error_shapes_reach_the_sdk(
    sdk: Any, organization: Organization, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a missing scope that crashes the SDK."""
    ekm_openai.set_faults("missing_scope")
    with pytest.raises(sdk.PermissionDeniedError) as caught:
        organization.projects.list()
    assert "Missing scopes: api.management.read." in str(caught.value.body)
    ekm_openai.set_faults("invalid_key")
    with pytest.raises(sdk.AuthenticationError):
        organization.projects.list()


def test_the_sdk_obeys_retry_after(sdk: Any, ekm_openai: EmulatorProcess) -> None:
    """The SDK waits as long as Retry-After says, and then calls again."""
    ekm_openai.set_faults(rate_limited={"times": 1, "seconds": 1})
    with sdk.OpenAI(
        api_key="unused", admin_api_key=ekm_openai.admin_key, base_url=ekm_openai.base_url
    ) as client:
        client.admin.organization.projects.list()
    assert [call["status"] for call in ekm_openai.requests()] == [429, 200]


def test_audit_logs_are_the_sdks_events(
    organization: Organization, api: Http, customer: Customer
) -> None:
    """The SDK reads the audit log, with the key in it."""
    key = api.register(customer)
    events = organization.audit_logs.list(
        event_types=["external_key.registered"], resource_ids=[key], effective_at={"gt": 0}
    )
    (event,) = list(events)
    assert event.type == "external_key.registered"
    assert event.external_key_registered is not None
    assert event.external_key_registered.id == key
    assert event.actor is not None
    assert event.actor.type == "api_key"
