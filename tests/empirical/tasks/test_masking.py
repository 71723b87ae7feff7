"""Masks stand exactly where names stood: the rest of the text is kept, overlapping names share one mask."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.tasks.masking import MASK, Entity, mask_entities
from theory.errors import InputError


def test_masks_outside_the_text_are_refused():
    with pytest.raises(InputError, match="file:3"):
        mask_entities("file:3", "short", [Entity(pieces=((2, 9),), mask="@GENE$")])


def entity(*pieces: tuple[int, int], mask: str = "@GENE$") -> Entity:
    return Entity(pieces=pieces, mask=mask)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("abc ", max_size=5), st.text("xyz", min_size=1, max_size=5)), max_size=5), st.data())
def test_names_are_replaced_and_all_else_stays(parts, data):
    """A text made of rests and names: its masked form has the same rests, in whatever order the names are given."""
    text, entities = "", []
    for number, (rest, name) in enumerate(parts):
        text += rest
        entities.append(entity((len(text), len(text) + len(name)), mask=f"@K{number}$"))
        text += name
    text += "end"
    wanted = "".join(f"{rest}@K{number}$" for number, (rest, _) in enumerate(parts)) + "end"
    assert mask_entities("here", text, data.draw(st.permutations(entities))) == wanted


@pytest.mark.parametrize(
    ("entities", "masked"),
    [
        ([entity((0, 4), (8, 12))], "@GENE$ or  x"),  # the first piece is masked, the others go
        ([entity((8, 12), (0, 4))], "@GENE$ or  x"),
        ([entity((0, 7), mask="@A$"), entity((5, 12), mask="@B$")], "@A-B$ x"),
        ([entity((0, 12), mask="@A$"), entity((5, 7), mask="@B$")], "@A-B$ x"),
        ([entity((0, 7), mask="@A$"), entity((0, 12), mask="@B$")], "@B-A$ x"),  # the longer of one start is first
        ([entity((0, 4), (5, 7), mask="@A$"), entity((5, 12), mask="@B$")], "@A$ @B$ x"),
        ([entity((0, 5), mask="@A$"), entity((5, 7), mask="@B$")], "@A$@B$ done x"),  # neighbours do not overlap
        ([], "left or done x"),
    ],
)
def test_pieces_and_overlaps(entities, masked):
    assert mask_entities("here", "left or done x", entities) == masked


@pytest.mark.parametrize("piece", [(-1, 3), (3, 3), (4, 3), (0, 6), (5, 6)])
def test_offsets_outside_the_text_or_empty_are_refused(piece):
    with pytest.raises(InputError, match=r"here.*inside the 5 characters"):
        mask_entities("here", "short", [entity(piece)])
    assert mask_entities("here", "short", [entity((4, 5))]) == "shor@GENE$"


@pytest.mark.parametrize(("text", "masks"), [
    ("We saw @GENE$.", ["@GENE$"]), ("@PROTEIN1$and@PROTEIN2$", ["@PROTEIN1$", "@PROTEIN2$"]),
    ("of @CHEMICAL-GENE$", ["@CHEMICAL-GENE$"]), ("5 $ @home for 3@4$", []), ("@ GENE $", []),
])  # fmt: skip
def test_what_a_mask_looks_like(text, masks):
    assert MASK.findall(text) == masks
