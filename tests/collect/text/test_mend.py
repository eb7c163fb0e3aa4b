"""Font encodings and twice encoded text become Unicode; every other text stays as it was written."""

import unicodedata
from pathlib import Path

import pytest

from newsletter.collect.documents.files import read_file
from newsletter.collect.pages.page import read_page
from newsletter.collect.text.decode import to_text
from newsletter.collect.text.mend import mended
from tests.collect.layout_stories import windows_1258

VI = (
    "Trung tâm Hải văn tổ chức lớp đo sâu đáy biển cho cán bộ các tỉnh ven biển miền Trung. Những người dự lớp được "
    "nghe giảng về thủy triều, sóng và dòng chảy; buổi chiều họ ra khơi trên tàu nghiên cứu để thực hành. Ông Đặng "
    "Quyết nói rằng kết quả sẽ được công bố trước cuối năm."
)
# the same text as the two font encodings store it, typed from their published tables
TCVN3 = (
    "Trung t©m H¶i v¨n tæ chøc líp ®o s©u ®¸y biÓn cho c¸n bé c¸c tØnh ven biÓn miÒn Trung. Nh÷ng ng\xadêi dù líp "
    "®\xadîc nghe gi¶ng vÒ thñy triÒu, sãng vµ dßng ch¶y; buæi chiÒu hä ra kh¬i trªn tµu nghiªn cøu ®Ó thùc hµnh. ¤ng "
    "§Æng QuyÕt nãi r»ng kÕt qu¶ sÏ ®\xadîc c«ng bè tr\xadíc cuèi n¨m."
)
VNI = (
    "Trung taâm Haûi vaên toå chöùc lôùp ño saâu ñaùy bieån cho caùn boä caùc tænh ven bieån mieàn Trung. Nhöõng ngöôøi "
    "döï lôùp ñöôïc nghe giaûng veà thuûy trieàu, soùng vaø doøng chaûy; buoåi chieàu hoï ra khôi treân taøu nghieân cöùu "
    "ñeå thöïc haønh. OÂng Ñaëng Quyeát noùi raèng keát quaû seõ ñöôïc coâng boá tröôùc cuoái naêm."
)
OTHERS = {
    "vi": VI,
    "vi decomposed": unicodedata.normalize("NFD", VI),
    "fr": "L'été dernier, les élèves du collège ont été invités à découvrir la rivière où naît l'écho : « déjà là, dès "
    "l'aube, ils mesuraient la qualité de l'eau », a précisé le préfet. Né à Évry, il a été élevé près de la forêt.",
    "de": "Über die Böschung führte früher ein schmaler Weg; später wurde er für die Gäste verbreitert. Die „Grüne "
    "Brücke“ hält täglich 300 Fußgänger aus, erklärte der Prüfer, und das große „Ä“ am Tor bleibt schön.",
    "pt": "A estação não será aberta até que a direção conclua a inspeção; são três salões, já à disposição dos órgãos "
    "técnicos. É também lá que ficará o museu, cuja construção começará após a avaliação do júri.",
    "es": "El niño pidió más información sobre la excavación; según el boletín, será pública mañana. ¿Qué pasará después? "
    "La comisión contestó que también habrá visitas guiadas a la ría, además de la exposición.",
    "it": "Però la città è già più pulita: così ha detto l'assessore, perché il traffico è diminuito. Là dove c'era il "
    "parcheggio c'è ora un giardino, e lì ci sarà la festa di martedì, poi giovedì e venerdì.",
    "no": "På øya står det små båter; når været blir dårlig, må de gå inn i havnen. Både gutten og søsteren så på åtte "
    "måker som fløy høyt over fjæra, før de løp hjem på blå sko.",
    "is": "Það er gott að vita að börnin fóru út á sjó og sáu þar hvali; síðan gengu þau yfir ána og upp á fjöllin.",
    "pl": "Żółta łódź płynęła wzdłuż brzegu, gdzie stała wieża; książę prosił o ciszę, więc wszyscy umilkli.",
    "tr": "Öğrenciler göl kıyısında ölçüm yaptı; müdür, çalışmanın önümüzdeki yıl da süreceğini söyledi. Şöyle güzel bir gün.",
    "en": "The café's façade — © 2004, ® of its owner — measures 3 × 4 m ± 2 cm; the naïve résumé cost £5, § 7 ¶ 2.",
}


def _twice(text: str) -> str:
    """UTF-8 read as Windows-1252, whose five undefined bytes stay what they are."""
    return "".join(
        chr(byte) if byte in b"\x81\x8d\x8f\x90\x9d" else bytes([byte]).decode("cp1252") for byte in text.encode()
    )


@pytest.mark.parametrize("written", [TCVN3, VNI, _twice(VI)], ids=["TCVN3", "VNI", "UTF-8 twice"])
def test_vietnamese_in_old_dress_becomes_unicode(written: str) -> None:
    assert mended(written) == VI
    assert mended(f"<html><body><p>{written}</p></body></html>") == f"<html><body><p>{VI}</p></body></html>"
    assert mended(mended(written)) == VI


@pytest.mark.parametrize("language", OTHERS)
def test_ordinary_text_stays_as_it_was_written(language: str) -> None:
    text = OTHERS[language]
    assert mended(text) == text
    assert mended(text * 40) == text * 40
    assert mended(f"<p>{text}</p>&copy; 2004 &eacute;") == f"<p>{text}</p>&copy; 2004 &eacute;"


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_encoded_twice_is_read_again(language: str) -> None:
    assert mended(_twice(OTHERS[language])) == OTHERS[language]


@pytest.mark.parametrize("declared", [None, "iso-8859-1", "x-user-defined", "windows-1258", "CP1258"])
def test_bytes_of_a_font_encoding_are_read_whatever_is_declared(declared: str | None) -> None:
    assert to_text(TCVN3.encode("latin-1"), declared) == VI
    assert to_text(VNI.encode("latin-1"), declared) == VI
    assert to_text(TCVN3.encode(), declared) == VI


@pytest.mark.parametrize("language", ["vi", "fr", "de", "pt", "es"])
def test_what_is_truly_windows_1258_stays_so(language: str) -> None:
    text = OTHERS[language].replace("ã", "a").replace("õ", "o").replace("ì", "i").replace("í", "i")
    assert to_text(windows_1258(text) * 20, "windows-1258") == windows_1258(text).decode("cp1258") * 20


def test_references_are_read_and_signs_that_stand_alone_stay_signs() -> None:
    page = TCVN3.replace("µ", "&micro;").replace("®", "&#174;").replace("©", "&#xA9;")
    assert mended(f"{page} &copy; 2004 &lt; 3 × 4 &nbsp;") == f"{VI} © 2004 &lt; 3 × 4 &nbsp;"


def test_capitals_of_the_font_for_capitals_become_capitals() -> None:
    assert mended(f"VIÖN H¶I V¡N\n{TCVN3}").startswith("VIỆN HẢI VĂN\n")
    assert mended(f"VIEÄN HAÛI VAÊN\n{VNI}").startswith("VIỆN HẢI VĂN\n")


def test_a_page_and_a_file_of_an_old_site_are_read_in_unicode(tmp_path: Path) -> None:
    markup = (
        f"<html><head><title>Líp ®o s©u ®¸y biÓn</title></head><body><h1>Líp ®o s©u</h1><p>{TCVN3}</p></body></html>"
    )
    page = read_page(markup.encode("latin-1"), url="http://vien.example/tin/1.htm")
    assert (page.title, page.text, page.language) == ("Lớp đo sâu", VI, "vi")
    path = tmp_path / "tin.txt"
    path.write_bytes(f"Líp ®o s©u ®¸y biÓn\n\n{TCVN3}".encode("latin-1"))
    assert (read_file(path).title, read_file(path).text) == ("Lớp đo sâu đáy biển", VI)


def test_a_single_sentence_with_accents_is_no_evidence() -> None:
    assert mended("né, thé, bébé") == "né, thé, bébé"
    assert mended("Sie schrieb „Ä“ und „Ö“ und „Ü“.") == "Sie schrieb „Ä“ und „Ö“ und „Ü“."
