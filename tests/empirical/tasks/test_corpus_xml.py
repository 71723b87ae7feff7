"""The corpora's XML: both ways to count an entity's end, discontinuous names, documents, and what is broken."""

from __future__ import annotations

import pytest

from empirical.tasks.corpus_xml import read_corpus
from theory.errors import InputError

MASKS = ("@DRUG$", "@DRUG$")
ASPIRIN = '<entity id="a" charOffset="0-7" text="Aspirin"/>'
WARFARIN = '<entity id="b" charOffset="14-22" text="warfarin"/>'
TOLD = '<pair e1="a" e2="b" ddi="true" type="effect"/>'


def sentence(*inside, text="Aspirin meets warfarin."):
    return f'<sentence id="s1" text="{text}">{"".join(inside)}</sentence>'


def rows(folder, xml):
    path = folder / "corpus.xml"
    path.write_text(xml)
    return list(read_corpus(path, MASKS))


def one(folder, *inside, **more):
    return rows(folder, f'<document id="d">{sentence(*inside, **more)}</document>')


def test_a_pair_is_one_row_with_its_number_and_document(tmp_path):
    back = '<pair e1="b" e2="a" ddi="false"/>'
    assert one(tmp_path, ASPIRIN, WARFARIN, TOLD, back) == [
        (1, {"sentence": "@DRUG$ meets @DRUG$.", "label": "effect"}, "d"),
        (2, {"sentence": "@DRUG$ meets @DRUG$.", "label": "false"}, "d"),
    ]


@pytest.mark.parametrize("ends", [("0-7", "14-22"), ("0-6", "14-21"), ("0-6", "14-22")])
def test_ends_are_read_inclusive_or_exclusive_as_the_text_says(tmp_path, ends):
    entities = [f'<entity id="{i}" charOffset="{end}" text="{text}"/>'
                for i, end, text in zip("ab", ends, ("Aspirin", "warfarin"), strict=True)]  # fmt: skip
    assert one(tmp_path, *entities, TOLD)[0][1]["sentence"] == "@DRUG$ meets @DRUG$."


@pytest.mark.parametrize("offsets", ["0-4;12-20", "0-3,12-19", "0-3;12-19"])
def test_a_discontinuous_name_keeps_one_mask(tmp_path, offsets):
    entity = f'<entity id="a" charOffset="{offsets}" text="oral steroids"/>'
    other = '<entity id="b" charOffset="26-34" text="warfarin"/>'
    made = one(tmp_path, entity, other, TOLD, text="oral or new steroids meet warfarin")
    assert made[0][1]["sentence"] == "@DRUG$ or new  meet @DRUG$"


@pytest.mark.parametrize(
    ("pair", "label"),
    [
        ('ddi="true" type="advise"', "advise"),
        ('ddi="TRUE"', "true"),
        ('ddi="false" type="advise"', "false"),
        ('interaction="True" type="effect"', "true"),  # the unified corpora's types are not the task's
        ('interaction="False"', "false"),
    ],
)
def test_labels_are_ddis_types_or_whether_they_interact(tmp_path, pair, label):
    assert one(tmp_path, ASPIRIN, WARFARIN, f'<pair e1="a" e2="b" {pair}/>')[0][1]["label"] == label


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ((ASPIRIN, TOLD), "sentence s1.*pair of a and b"),
        ((ASPIRIN, WARFARIN, '<pair e1="a" ddi="true"/>'), "pair of a and None"),
        ((ASPIRIN, WARFARIN, '<pair e1="a" e2="b"/>'), "ddi or interaction"),
        ((ASPIRIN, WARFARIN, '<pair e1="a" e2="b" ddi="perhaps"/>'), "true or false"),
        ((ASPIRIN.replace("0-7", "0-9"), WARFARIN, TOLD), "entity 'Aspirin' at 0-9.*fit the sentence"),
        ((ASPIRIN.replace("0-7", "0"), WARFARIN, TOLD), "charOffset '0'.*4-12"),
        ((ASPIRIN.replace("0-7", "x-y"), WARFARIN, TOLD), "charOffset 'x-y'"),
    ],
)
def test_what_does_not_fit_names_its_sentence(tmp_path, inside, message):
    with pytest.raises(InputError, match=message):
        one(tmp_path, *inside)


def test_broken_xml_names_its_line_and_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"corpus\.xml:2.*well-formed"):
        rows(tmp_path, "<document>\n<sentence></document>")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"a folder with \.xml files"):
        list(read_corpus(tmp_path / "empty", MASKS))


def test_files_of_a_folder_are_numbered_through_in_the_order_of_their_names(tmp_path):
    body = sentence(ASPIRIN, WARFARIN, TOLD)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.xml").write_text(f"<document>{body}</document>")  # without an id its file names it
    (tmp_path / "a.xml").write_text(f'<corpus><document id="d1">{body}{body}</document><document id="d2"/></corpus>')
    found = [(number, document) for number, _, document in read_corpus(tmp_path, MASKS)]
    assert found == [(1, "d1"), (2, "d1"), (3, "x.xml")]
