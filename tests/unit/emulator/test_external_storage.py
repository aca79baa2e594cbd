"""External storage: listed by project and by page, validated as a setting says, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.emulator.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.emulated import Api

PATH = "external_storage"
PROVIDER = {"type": "aws", "bucket": "b", "role_arn": "arn:aws:iam::111122223333:role/storage"}


def test_a_storage_lives_and_is_listed_by_page_and_project(api: Api) -> None:
    """Guards against: a tool of a customer's whose list or delete nobody could rehearse."""
    made = [
        api.call("POST", PATH, {"project_id": f"proj_{n % 2}", "provider": PROVIDER}).json()
        for n in range(3)
    ]
    ids = [storage["id"] for storage in made]
    assert [storage["status"] for storage in made] == ["pending"] * 3
    listed = api.call("GET", f"{PATH}?order=asc&limit=2").json()
    assert ([it["id"] for it in listed["data"]], listed["has_more"]) == (ids[:2], True)
    rest = api.call("GET", f"{PATH}?order=asc&after={ids[1]}").json()
    assert ([it["id"] for it in rest["data"]], rest["has_more"]) == (ids[2:], False)
    of_one = api.call("GET", f"{PATH}?project_id=proj_0&order=desc").json()
    assert [it["id"] for it in of_one["data"]] == [ids[2], ids[0]]
    assert api.call("POST", f"{PATH}/{ids[0]}/validate").json()["status"] == "validated"
    api.set(external_storage_status="unhealthy")
    assert api.call("POST", f"{PATH}/{ids[0]}/validate").json()["status"] == "unhealthy"
    assert api.call("GET", f"{PATH}/{ids[0]}").json()["status"] == "unhealthy"
    deleted = api.call("DELETE", f"{PATH}/{ids[0]}").json()
    assert deleted["object"] == "organization.external_storage.deleted"
    assert api.refused("GET", f"{PATH}/{ids[0]}")[0] == 404
    assert api.refused("DELETE", f"{PATH}/{ids[0]}")[0] == 404


def test_a_database_from_before_is_read_on(tmp_path: Path) -> None:
    """Guards against: an emulator that refuses the file that it wrote yesterday."""
    path = tmp_path / "db"
    store = Store(path)
    store._rows("DROP TABLE storages")
    store.close()
    store = Store(path)
    store.save_storage({"id": "extstorage_1"})
    assert store.storages() == [{"id": "extstorage_1"}]
    store.close()
