"""A reader's own attributes and time zone in templates: markers, and a clear line for a name nobody declared."""

from collections.abc import Callable
from types import ModuleType

import pytest

from newsletter.compose.design import Design
from newsletter.compose.render import render_issue, render_letter
from newsletter.errors import TemplateError
from newsletter.mail.markers import fill, marker
from newsletter.model import LetterKind

INSIDE = "{{ subscriber.attribs.job_title }} · {{ subscriber.timezone }}"


def test_an_issue_and_a_letter_name_declared_attributes(
    mjml_of: Callable[..., Design], letters: Design, made: ModuleType, tmp_path: object
) -> None:
    design = mjml_of(INSIDE)
    rendering = render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi", attribs=("job_title",))
    assert marker(made.NONCE, "attribs.job_title") in rendering.html
    values = {"attribs.job_title": "Kỹ sư <đo>", "subscriber_timezone": "Asia/Ho_Chi_Minh"}
    filled = fill(rendering.html, made.NONCE, values, html=True)
    assert "Kỹ sư &lt;đo&gt; · Asia/Ho_Chi_Minh" in filled
    letter = render_letter(
        LetterKind.GOODBYE, {}, design=letters, newsletter=made.made_view(), nonce=made.NONCE, language="vi", attribs=()
    )
    assert "QqX" in letter.html


@pytest.mark.parametrize(
    ("attribs", "hint"), [((), "declared: none yet"), (("job_title", "city"), "declared: city, job_title")]
)
def test_an_undeclared_attribute_is_refused_with_its_place(
    mjml_of: Callable[..., Design], made: ModuleType, attribs: tuple[str, ...], hint: str
) -> None:
    design = mjml_of("\n{{ subscriber.attribs.town }}")
    with pytest.raises(TemplateError) as caught:
        render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi", attribs=attribs)
    assert caught.value.what == "no attribute 'town' is declared"
    assert caught.value.where.endswith("digest.mjml.j2:6")
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("name", ["Town", "__class__", "_known", "to__wn"])
def test_what_cannot_be_an_attribute_is_no_way_out_of_the_template(
    mjml_of: Callable[..., Design], made: ModuleType, name: str
) -> None:
    design = mjml_of(f"{{{{ subscriber.attribs.{name} }}}}")
    with pytest.raises(TemplateError):
        render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi")


def test_a_design_is_tried_without_knowing_what_is_declared(mjml_of: Callable[..., Design], made: ModuleType) -> None:
    rendering = render_issue(mjml_of(INSIDE), made.made_context(1), nonce=made.NONCE, language="en")
    assert marker(made.NONCE, "attribs.job_title") in rendering.html
