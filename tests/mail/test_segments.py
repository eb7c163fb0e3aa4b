"""Random messages, built whole and cut by topics, against a reference that is put together part by part."""

import email
import email.policy
import html as html_module
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from newsletter.errors import BadInput
from newsletter.locale import labels
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import Count, End, count_mark, marker, segment_marks, split
from newsletter.mail.segments import cut_rendering, kept_items
from newsletter.model import Rendering, Segments
from subscribers import Address

SENTENCES = {
    "vi": "ngữ nghĩa thuở ấy khuỷu tay, ruộng chịu mặn: “lúa mới” – 5,2 tấn một héc-ta; Ỗi Đồi Ẵm ỷ",
    "en": "wave buoys report storms early; fishing boats = 40 minutes, 11.4 % less .dot From here -- don't",
    "ja": "波浪計 は 嵐 を 早く 知らせる。 塩害 に 強い 稲、 収量 六トン",
    "ar": "تصل الإنذارات قبل العاصفة بأربعين دقيقة، والأرز يقاوم الملوحة ١٢٫٥",
}
WORDS = {language: sentence.split() for language, sentence in SENTENCES.items()}
NAMES = (
    "Nguyễn Thị Ánh Ngọc",
    'Đỗ "Út" Mười, PhD',
    "🌾 Miên 🌊👩‍🌾",
    "מרים לוי",
    "محمد أمين",
    "Anna <b>Bell</b> & Co",
    "O'Neill; O=Kelly",
    "Lê Thuỷ Tú " * 18 + "hết",
    "長谷川 結衣",
    "Ô" * 200,
    "",
)
TOPICS = ("biển", "lúa & nước", "rừng", "歴史", "Schiffe")
FIELDS = ("subscriber_name", "subscriber_email", "unsubscribe_url", "preferences_url", "subscribed_since")
COUNTS = [60, pytest.param(1_000, marks=pytest.mark.proof)]


@dataclass
class Node:
    """A literal, a value, a count, or a segment with what stands in it."""

    text: str = ""
    value: str | None = None
    count: Count | None = None
    items: tuple[int, ...] | None = None
    inner: list["Node"] = field(default_factory=list)


def grown(dice: random.Random, language: str, items: int, depth: int = 0) -> list[Node]:
    nodes = []
    for _ in range(dice.randint(1, 7)):
        kind = dice.random()
        if kind < 0.45:
            glue = dice.choice((" ", "\n", "\n.", "", " \n", "\n\nFrom ", "=", "<br>", "\t", "&amp;", "x" * 120 + "\n"))
            nodes.append(Node(text=glue + " ".join(dice.choices(WORDS[language], k=dice.randint(0, 25)))))
        elif kind < 0.65:
            nodes.append(Node(value=dice.choice(FIELDS)))
        elif kind < 0.75:
            last = dice.randint(1, items)
            nodes.append(Node(count=Count(dice.randint(0, last - 1), last, dice.choice((None, 0, 1)))))
        elif depth < 3:
            chosen = tuple(sorted(dice.sample(range(items), dice.randint(0, min(3, items)))))
            nodes.append(Node(items=chosen, inner=grown(dice, language, items, depth + 1)))
    return nodes


def marked(nodes: list[Node], nonce: str, *, html: bool) -> str:
    """As a design renders it."""
    made = []
    for node in nodes:
        if node.items is not None:
            begin, end = segment_marks(nonce, node.items, html=html)
            made += [begin, marked(node.inner, nonce, html=html), end]
        elif node.count is not None:
            made.append(count_mark(nonce, node.count))
        else:
            made.append(marker(nonce, node.value) if node.value else node.text)
    return "".join(made)


def reference(nodes: list[Node], rendering: Rendering, reader: Reader, *, html: bool) -> str:
    """What the reader is to read, found without marks, cuts or encodings."""
    segments = rendering.segments
    assert segments is not None
    chosen = {topic.lower() for topic in reader.topics}
    mine = [at for at, own in enumerate(segments.topics) if not chosen or not own or chosen & {t.lower() for t in own}]
    everything = len(mine) == len(segments.topics)
    made = ""
    for node in nodes:
        if node.items is not None:
            if (everything if not node.items else set(node.items) & set(mine)) or everything:
                made += reference(node.inner, rendering, reader, html=html)
        elif node.count is not None:
            number = len([at for at in mine if node.count.first <= at < node.count.last])
            words = labels(rendering.language)
            if node.count.phrase is None:
                said = words.format_number(number)
            else:
                said = words.ngettext(*segments.phrases[node.count.phrase], number)
            made += html_module.escape(said).replace("\xa0", "&nbsp;") if html else said
        elif node.value:
            made += html_module.escape(reader.values[node.value]) if html else reader.values[node.value]
        else:
            made += node.text
    return made


def a_reader(dice: random.Random, number: int, language: str) -> Reader:
    name, token = dice.choice(NAMES), f"t{number}"
    lines = "\n".join(" ".join(dice.choices(WORDS[language], k=dice.randint(0, 40))) for _ in range(dice.randint(1, 5)))
    values = {
        "subscriber_name": name,
        "subscriber_email": f"r{number}@doc.example",
        "unsubscribe_url": f"https://vien.example/u/{'k' * dice.randint(1, 200)}",
        "preferences_url": "https://vien.example/p/?a=1&b=2",
        "subscribed_since": lines,
    }
    topics = tuple(sorted(dice.sample(TOPICS, dice.randint(0, 3))))
    return Reader(
        to=Address(f"r{number}", "doc.example"),
        name=name or None,
        message_id_token=token,
        unsubscribe_url=values["unsubscribe_url"],
        values=values,
        topics=topics,
    )


@pytest.mark.parametrize("count", COUNTS)
def test_random_messages_decode_to_what_their_readers_are_to_read(count: int, frame: Frame, nonce: str) -> None:
    dice = random.Random(count)
    encodings: Counter[str] = Counter()
    for number in range(count):
        language = dice.choice(tuple(WORDS))
        items = dice.randint(1, 8)
        topics = tuple(tuple(dice.sample(TOPICS, dice.randint(0, 2))) for _ in range(items))
        phrases = (("{n} story", "{n} stories"), ("and {n} more story on the web", "and {n} more stories on the web"))
        text, markup = grown(dice, language, items), grown(dice, language, items)
        rendering = Rendering(
            language=language,
            subject=" ".join(dice.choices(WORDS[language], k=dice.randint(1, 14))),
            preheader="",
            html=marked(markup, nonce, html=True),
            text=marked(text, nonce, html=False),
            segments=Segments(topics=topics, phrases=phrases),
        )
        compiled = compile_message(rendering, frame, nonce=nonce)
        for person in range(3):
            reader = a_reader(dice, number * 10 + person, language)
            wanted = [reference(part, rendering, reader, html=html) for part, html in ((text, False), (markup, True))]
            message = compiled.splice(reader)
            assert [message.parts().text, message.parts().html] == wanted
            for eight_bit in (False, True):
                raw = message.mime(eight_bit=eight_bit)
                found = email.message_from_bytes(raw, policy=email.policy.default)
                assert not found.defects
                assert found["Subject"] == rendering.subject
                parts = list(found.iter_parts())
                decoded = [part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in parts]
                assert decoded == wanted
                encodings.update(str(part["Content-Transfer-Encoding"]) for part in parts)
                assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert set(encodings) == {"quoted-printable", "base64", "8bit"}


def shown(topics: tuple[tuple[str, ...], ...]) -> Segments:
    return Segments(topics=topics)


def test_who_chose_nothing_or_every_topic_gets_everything() -> None:
    segments = shown((("biển",), ("lúa",), ()))
    assert kept_items(segments, ()) is None
    assert kept_items(segments, ("lúa", "biển")) is None
    assert kept_items(None, ("biển",)) is None


def test_topics_are_compared_without_capitals_and_in_one_spelling() -> None:
    segments = shown((("Biển",), ("LÚA",), ("rừng",)))
    assert kept_items(segments, ("bie\u0302\u0309n ", "lúa")) == {0, 1}


def test_an_item_without_topic_is_for_everybody_and_nothing_left_is_nothing_to_send(frame: Frame, nonce: str) -> None:
    assert kept_items(shown((("biển",), ())), ("rừng",)) == {1}
    begin, end = segment_marks(nonce, [0], html=False)
    one = Rendering(
        language="vi", subject="x", preheader="", html="y", text=f"a{begin}b{end}", segments=shown((("biển",),))
    )
    compiled = compile_message(one, frame, nonce=nonce)
    assert not compiled.serves(("rừng",))
    assert compiled.serves(("biển",))
    assert compiled.serves(())


@pytest.mark.parametrize("broken", ["{b}a", "a{e}", "{b}a{e}{e}", "{b2}a{e}", "{c}"])
def test_marks_that_do_not_fit_together_are_refused(frame: Frame, nonce: str, broken: str) -> None:
    begin, end = segment_marks(nonce, [0], html=False)
    text = broken.format(
        b=begin, e=end, b2=segment_marks(nonce, [7], html=False)[0], c=count_mark(nonce, Count(0, 1, 3))
    )
    one = Rendering(language="vi", subject="x", preheader="", html="y", text=text, segments=shown((("biển",),)))
    with pytest.raises(BadInput, match="do not fit together"):
        compile_message(one, frame, nonce=nonce)


def test_a_segment_mark_in_html_is_a_comment_and_goes_as_a_whole(nonce: str) -> None:
    begin, end = segment_marks(nonce, [0, 3], html=True)
    assert begin.startswith("<!--")
    assert end.endswith("-->")
    assert split(f"<td>{begin}x{end}</td>", nonce)[0] == "<td>"
    assert split(f"<td>{begin}x{end}</td>", nonce)[-2:] == [End(), "</td>"]
    comment = f"<!--{marker(nonce, 'unsubscribe_url')}-->"
    assert split(comment, nonce)[0] == "<!--"  # somebody's own comment stays one


def test_readers_who_get_the_same_items_share_one_cut(rendering: Rendering, frame: Frame, nonce: str) -> None:
    topical = replace(rendering, segments=shown((("biển",), ("lúa",))))
    compiled = compile_message(topical, frame, nonce=nonce)
    assert compiled.cut(("biển",)) is compiled.cut(("biển", "rừng"))
    assert compiled.cut(("biển", "lúa")) is compiled.cut(())
    assert compiled.cut(("biển",)) is not compiled.cut(("lúa",))


def test_what_is_approved_includes_the_topics_of_the_items(rendering: Rendering) -> None:
    hashes = {
        content_hash([replace(rendering, segments=one)], sender="x", list_id=None)
        for one in (None, shown((("biển",),)), shown((("lúa",),)))
    }
    assert len(hashes) == 3
    assert cut_rendering(rendering, "0" * 16) is rendering
