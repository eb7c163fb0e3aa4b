"""Segments, attributes and tags over the API."""

import pytest

QUERY = 'tag = "cựu sinh viên" and khoa = "Địa lý"'


@pytest.fixture
def known(both, both_worlds):
    both("POST", "/attributes", {"slug": "khoa", "type": "text", "label_vi": "Khoa"})
    person_id = both_worlds.people["ngoc@doc-gia.example"]
    both("PATCH", f"/subscribers/{person_id}", {"attributes": {"khoa": "Địa lý"}})
    both("POST", f"/subscribers/{person_id}/tags", {"add": ["Cựu sinh viên", "báo chí"]})
    return person_id


def test_a_segment_is_looked_at_kept_and_changed(both, known):
    seen = both("POST", "/segments/preview", {"list": "ban-doc", "query": QUERY}).json
    assert (seen["count"], [one["id"] for one in seen["sample"]]) == (1, [known])
    assert "@" not in str(seen)
    made = both("POST", "/segments", {"slug": "dia-ly", "name": "Địa lý", "query": QUERY})
    assert (made.status, made.json["query"]) == (201, QUERY)
    changed = both("PATCH", "/segments/dia-ly", {"name": "Khoa Địa lý"}).json
    assert (changed["name"], changed["query"]) == ("Khoa Địa lý", QUERY)
    assert both("GET", "/segments/dia-ly").json == changed
    assert both("GET", "/segments").json["data"] == [changed]
    assert both("GET", "/segments/khong").status == 404


@pytest.mark.parametrize("query", ["khoa =", "lương > 3", "1=1; drop table people", "(" * 50, 'tag = "x'])
def test_a_query_that_cannot_be_read_is_one_line_that_says_where(both, known, query):
    for path, body in (("/segments/preview", {"list": "ban-doc"}), ("/segments", {"slug": "x", "name": "X"})):
        said = both("POST", path, body | {"query": query})
        assert said.status == 422
        assert "at character" in said.problem
    assert both("GET", "/segments").json["data"] == []


def test_tags_are_put_on_counted_and_taken_off(both, known):
    assert {one["tag"]: one["people"] for one in both("GET", "/tags").json["data"]} == {
        "Cựu sinh viên": 1,
        "báo chí": 1,
    }
    said = both("POST", f"/subscribers/{known}/tags", {"remove": ["BÁO CHÍ"], "add": ["mới"]})
    assert said.json == {"tags": ["Cựu sinh viên", "mới"]}
    assert both("GET", f"/subscribers/{known}").json["tags"] == ["Cựu sinh viên", "mới"]
    assert both("POST", f"/subscribers/{'0' * 16}/tags", {"add": ["x"]}).status == 404
    assert both("POST", f"/subscribers/{known}/tags", {"add": ["a;b"]}).json["errors"][0]["field"] == "tags"


def test_attributes_are_declared_once_with_a_type(both, known):
    assert both("GET", "/attributes").json["data"] == [
        {"slug": "khoa", "type": "text", "label_vi": "Khoa", "label_en": "Khoa"}
    ]
    assert both("POST", "/attributes", {"slug": "khoa", "type": "number"}).status == 422
    assert both("POST", "/attributes", {"slug": "tag", "type": "text"}).json["errors"][0]["field"] == "slug"
    assert both("POST", "/attributes", {"slug": "x", "type": "colour"}).json["errors"][0]["field"] == "type"


def test_a_segment_is_removed_when_no_newsletter_goes_by_it(both, both_worlds, known):
    both("POST", "/segments", {"slug": "dia-ly", "name": "Địa lý", "query": QUERY})
    with both_worlds.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE newsletters SET segment = 'dia-ly'")
    assert both("GET", "/newsletters/ban-tin").json["segment"] == "dia-ly"
    said = both("DELETE", "/segments/dia-ly")
    assert (said.status, "ban-tin" in said.problem) == (409, True)
    with both_worlds.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE newsletters SET segment = NULL")
    assert both("DELETE", "/segments/dia-ly").json == {"slug": "dia-ly"}
    assert both("DELETE", "/segments/dia-ly").status == 404
