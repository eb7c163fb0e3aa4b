"""Hostile templates: refused with a reason and a line, quickly and in little memory; nothing outside the folder is read."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.compose import meter
from newsletter.compose.templating import MOST_OCTETS, render_template
from newsletter.errors import TemplateError
from newsletter.locale import labels

GIVEN = {"_": labels("vi").gettext, "ngettext": labels("vi").ngettext, "long": "a" * 900_000, "items": ["một", "hai"]}
DOUBLING = "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = OF %}{% endfor %}{{ n.x | length }}"


@pytest.fixture
def template(tmp_path: Path) -> Callable[..., str]:
    """`template(text, **other files)` renders text."""

    def render(text: str, **others: str) -> str:
        folder = tmp_path / "design"
        folder.mkdir(exist_ok=True)
        for name, content in {"main": text, **others}.items():
            (folder / f"{name}.mjml.j2").write_text(content, encoding="utf-8")
        return render_template(folder, "main.mjml.j2", GIVEN)

    return render


ENDLESS = {
    "long loop": "{% for i in range(9999999999) %}x{% endfor %}",
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "recursive loop": "{% set l = range(9000) | list %}{% for a in l recursive %}{{ loop(l) }}{% endfor %}",
    "long text wrapped": "{{ long | replace('a', 'a ') | wrap }}",
    "wrapped with a long indent": "{{ long[:9000] | replace('a', 'a ') | wrap(long) }}",
    "colour of a long text": "{{ long | readable_on(long, 4) }}",
    "contrast beyond reach": "{{ '#777777' | readable_on('#777777', 1000000) | replace('#', long) ~ long }}",
    "many searches": "{% for i in range(9000) %}{% if 'b' in long %}{% endif %}{% endfor %}",
    "endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "exponential macros": "".join(
        f"{{% macro m{n}() %}}{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}{{% endmacro %}}"
        if n
        else "{% macro m0() %}x{% endmacro %}"
        for n in range(40)
    )
    + "{{ m39() }}",
    "silent exponential macros": "".join(
        f"{{% macro m{n}() %}}{{% set _a = m{n - 1}() %}}{{% set _b = m{n - 1}() %}}{{% endmacro %}}"
        if n
        else "{% macro m0() %}{% endmacro %}"
        for n in range(40)
    )
    + "{{ m39() }}",
    "includes itself": "{% include 'main.mjml.j2' %}",
    "includes itself twice": "{% include 'main.mjml.j2' %}{% include 'main.mjml.j2' %}",
    "extends itself": "{% extends 'main.mjml.j2' %}",
    "imports itself": "{% import 'main.mjml.j2' as me %}",
    "deep brackets": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "deep sums": "{{ " + "+".join("1" * 5000) + " }}",
    "deep ifs": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
}
LARGE = {
    "text times number": "{{ 'ab' * 1000000000 }}",
    "number times text": "{{ 1000000000 * 'ab' }}",
    "list times number": "{{ ([1] * 1000000000) | length }}",
    "power": "{{ 9 ** 999999999 }}",
    "squares": "{% set n = namespace(x=9) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "doubling with plus": DOUBLING.replace("OF", "n.x + n.x"),
    "doubling with tilde": DOUBLING.replace("OF", "n.x ~ n.x"),
    "doubling with a filter": DOUBLING.replace("OF", "n.x | replace('a', 'aa') | replace('b', 'bb')"),
    "doubling with a method": DOUBLING.replace("OF", "n.x.replace('a', 'aa').replace('b', 'bb')"),
    "doubling with join": DOUBLING.replace("OF", "[n.x, n.x] | join"),
    "doubling in a block": DOUBLING.replace(
        "{% set n.x = OF %}", "{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}"
    ),
    "doubling a list": DOUBLING.replace("OF", "[n.x, n.x]"),
    "doubling a dictionary": DOUBLING.replace("OF", "{'a': n.x, 'b': n.x}"),
    "doubling with dict": DOUBLING.replace("OF", "dict(a=n.x, b=n.x)"),
    "doubling in a slice": DOUBLING.replace("OF", "n.x | batch(1) | list + [n.x]"),
    "growing by replacing nothing": "{{ long | replace('', 'x' * 1000) }}",
    "growing by joining": "{{ range(9999) | join(long) }}",
    "padding by batch": "{{ items | batch(1000000000, 'x') | list | length }}",
    "slices": "{{ items | slice(1000000000) | list | length }}",
    "rounding": "{{ 5 | round(-1000000000) }}",
    "a label of many places": "{{ _('{a}' * 9999, a=long) }}",
    "long text sorted often": "{{ ([long] * 5000) | sort | length }}",
    "long text behind a name": "{% set n = namespace(a=long) %}{{ ([n] * 5000) | sort(attribute='a') | length }}",
    "many long texts": "{% for i in range(9000) %}{{ long }}{% endfor %}",
    "many long copies": "{% for i in range(9000) %}{% set a = long | upper %}{% endfor %}",
    "many slices": "{% for i in range(9000) %}{% set a = long[1:] %}{% endfor %}",
}


@pytest.mark.parametrize("text", [*ENDLESS.values(), *LARGE.values()], ids=[*ENDLESS, *LARGE])
def test_a_template_that_asks_for_too_much_is_refused_with_its_place(template: Callable[..., str], text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        template("<p>first line</p>\n" + text)
    assert caught.value.where.startswith("main.mjml.j2")
    assert caught.value.what
    assert template("<p>{{ items[0] }}</p>").endswith("<p>một</p>"), "what comes after it is rendered as ever"


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_template_that_makes_much_of_little_never_takes_much_memory(template: Callable[..., str], text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            template(text)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


FORBIDDEN = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ items.__class__.__base__ }}",
    "{{ _.__globals__ }}",
    "{{ _.__self__.messages }}",
    "{{ _.__func__.__code__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ (items | attr('__class__')) }}",
    "{{ items | map(attribute='__class__') | list }}",
    "{{ ['x'] | map('attr', '__class__') | list }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}' | format(1) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ 'x'.center(999999999) }}",
    "{{ 'x'.ljust(999999999) }}",
    "{{ 'x'.zfill(999999999) }}",
    "{{ 'x'.encode() }}",
    "{{ 'a\tb'.expandtabs(999999999) }}",
    "{{ 'x' | center(999999999) }}",
    "{{ 'x' | indent(999999999) }}",
    "{{ (1).to_bytes(999999999, 'big') }}",
    "{{ [] | sum(start=items) }}",
    "{{ items.append('x') }}",
    "{{ lipsum(n=100000) }}",
    "{{ items }}",
    "{{ _ }}",
    "{{ items | string }}",
    "{{ 'a' ~ items }}",
    "{{ [items] | join }}",
    "{% include '../secret.mjml.j2' %}",
    "{% include '/etc/passwd' %}",
    "{% include 'link.mjml.j2' %}",
    "{% extends '../secret.mjml.j2' %}",
    "{% import '../secret.mjml.j2' as s %}",
    "{% include ['../secret.mjml.j2', '/etc/passwd'] %}",
    "{% include 'main.mjml.j2/../../secret.mjml.j2' %}",
    "{% do items.clear() %}",
    "{{ get_flashed_messages() }}",
    "{{ config }}",
    "{{ request }}",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_nothing_leads_out_of_the_sandbox_or_the_folder(
    template: Callable[..., str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "secret.mjml.j2").write_text("the secret")
    (tmp_path / "design").mkdir()
    (tmp_path / "design" / "link.mjml.j2").symlink_to(tmp_path / "secret.mjml.j2")
    with pytest.raises(TemplateError) as caught:
        template("<p>\n" + text)
    assert caught.value.where == "main.mjml.j2:2"
    assert "secret" not in caught.value.what.replace("secret.mjml.j2", "")


def test_a_template_file_of_great_size_is_refused(template: Callable[..., str]) -> None:
    with pytest.raises(TemplateError, match="is larger than"):
        template("x" * (MOST_OCTETS + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for i in range(3) %}{{ loop.index }}/{{ loop.length }}{{ ' ' if not loop.last }}{% endfor %}", "1/3 2/3 3/3"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}", "3 7 "),
        ("{% for key, value in {'a': 1} | dictsort %}{{ key }}{{ value }}{% endfor %}", "a1"),
        ("{% for x in items if x != 'hai' %}{{ x }}{% else %}none{% endfor %}", "một"),
        ("{{ items | map('upper') | join(', ') }}", "MỘT, HAI"),
        ("{{ 'a' ~ 1 ~ '<' }}", "a1&lt;"),
        ("{{ '-' * 3 }}{{ 2 ** 10 }}{{ 7 // 2 }}{{ 7 % 2 }}", "---102431"),
        ("{{ items[::-1] | first }}{{ items | last }}{{ 'hai' in items }}", "haihaiTrue"),
        ("{{ 'a-b'.replace('-', '+') }}{{ 'a b'.split(' ') | length }}", "a+b2"),
        ("{% macro m(x) %}[{{ x }}{{ caller() }}]{% endmacro %}{% call m(1) %}in{% endcall %}", "[1in]"),
        ("{% set text %}<b>{{ items[0] }}</b>{% endset %}{{ text }}", "<b>một</b>"),
        ("{% for row in items | batch(2) %}{{ row | length }}{% endfor %}", "2"),
        ("{% for g in [{'k': 1}, {'k': 2}] | groupby('k') %}{{ g.grouper }}{{ g.list | length }} {% endfor %}", "11 21 "),
        ("{{ _('Issue {number}', number=3) }}", "Số\u00a03"),
        ("{{ nothing | default('x') }}{{ '' or 'y' }}", "xy"),
        ("{% set n = namespace(s=0) %}{% for i in range(4) %}{% set n.s = n.s + i %}{% endfor %}{{ n.s }}", "6"),
        ("{% block b %}{{ _('Issue {number}', number=4) }}{% endblock %}", "Số\u00a04"),
        ("{{ [3, 1, 2] | sort | join }}{{ [1, 2] | sum }}{{ 2.345 | round(1) }}", "12332.3"),
        ("{% for x in [[1, [2]]] recursive %}{{ loop(x) if x is iterable and x is not string else x }}{% endfor %}", "12"),
    ],
)  # fmt: skip
def test_what_designs_use_works_as_ever_under_the_meter(template: Callable[..., str], text: str, expected: str) -> None:
    assert template(text) == expected


def test_steps_are_counted_the_same_each_time_whatever_the_clock_says(template: Callable[..., str]) -> None:
    counts = []
    for _ in range(2):
        with meter.metered() as used:
            template("{% for i in range(50) %}{{ i }}{% endfor %}")
        counts.append(used.steps)
    assert counts[0] == counts[1] > 100
