"""The OpenAPI document is valid, says all a program must know, and is what is done."""

import json
import re
from pathlib import Path

from fastapi.openapi.models import OpenAPI

from newsletter.model import Scope
from newsletter.notify.telling import TYPES
from newsletter.web.api.document import operations


def document(world):
    answer = world.fetch("/api/openapi.json")
    assert answer.status == 200
    return json.loads(answer.text)


def test_it_is_valid_and_every_reference_leads_somewhere(world):
    said = document(world)
    OpenAPI.model_validate(said)
    assert said["openapi"].startswith("3.1")
    text = json.dumps(said)
    for kind, name in re.findall(r"#/components/(\w+)/(\w+)", text):
        assert name in said["components"][kind], name
    assert "HTTPValidationError" not in text


def test_every_operation_has_a_summary_scopes_and_problems(world):
    said = document(world)
    names = []
    for method, path, operation in operations(said):
        where = f"{method} {path}"
        assert operation["summary"], where
        names.append(operation["operationId"])
        scopes = [scope for one in operation["security"] for scope in one["bearer"]]
        assert scopes, where
        assert set(scopes) <= set(Scope), where
        answers = operation["responses"]
        assert {"401", "403", "422", "429"} <= set(answers), where
        for code, answer in answers.items():
            if int(code) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], where
            else:
                assert answer["content"]["application/json"]["schema"], where
        keyed = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
        assert keyed == (method == "POST" and operation["operationId"] not in NEVER_KEPT), where
        for one in operation.get("parameters", ()):
            assert one["description"], (where, one["name"])
    assert len(names) == len(set(names))
    used = {scope for _, _, one in operations(said) for way in one["security"] for scope in way["bearer"]}
    assert used == set(Scope)


# The same whether done once or often; what they answer is kept nowhere.
NEVER_KEPT = ("find_subscriber", "preview_segment", "import_subscribers", "tag_subscriber")


def test_the_page_shows_every_operation_without_a_script_or_another_site(world):
    page = world.fetch("/api/docs")
    assert page.status == 200
    for method, path, _ in operations(document(world)):
        assert f"<code>{method} /api{path}</code>" in page.text
    assert "<script" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)


def test_the_manual_explains_every_scope_and_every_event():
    manual = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    for name in (*Scope, *TYPES):
        assert f"`{name}`" in manual, name
