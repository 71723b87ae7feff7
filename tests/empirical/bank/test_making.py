"""A bank is made once: killed, extended or damaged, it holds the same bytes and asks no text twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.augment.neighbours import users_tables
from empirical.bank import plan as plans
from empirical.bank.making import Bank, make_bank, size_of, texts_of
from empirical.bank.plan import Shift
from empirical.tokens.batch import Batch
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank


def files(made: Bank) -> dict[str, bytes]:
    """The bank's own files, without the store of answers beside it."""
    return {str(path.relative_to(made.folder)): path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}


def test_a_second_pass_asks_nothing_and_progress_counts_every_text(tmp_path: Path) -> None:
    teacher, seen = Oracle(), []
    assert make_bank(bank(tmp_path), teacher, lambda label, done, total: seen.append((done, total)))
    asked = teacher.asked
    assert 0 < asked <= texts_of(bank(tmp_path))
    assert seen[-1] == (texts_of(bank(tmp_path)),) * 2
    again = bank(tmp_path)
    make_bank(again, teacher)
    assert teacher.asked == asked
    assert again.count.asked == 0 and again.count.kept == texts_of(again)
    again.logits(next(iter(again.plan.units())), teacher, again.store(teacher))
    assert again.count.kept == texts_of(again), "a student that reads is not counted"
    assert size_of(again.folder) > 0


def test_killed_and_resumed_it_is_byte_identical(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir(), (tmp_path / "killed").mkdir()
    whole = bank(tmp_path / "whole")
    make_bank(whole, Oracle())
    with pytest.raises(KeyboardInterrupt):
        make_bank(bank(tmp_path / "killed"), Oracle(most=400))
    resumed = bank(tmp_path / "killed")
    make_bank(resumed, Oracle())
    assert resumed.folder.name == whole.folder.name
    assert files(resumed) == files(whole)


def test_extended_in_every_way_it_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "BLOCK", 48)
    monkeypatch.setattr("empirical.bank.making.BLOCK", 48)
    teacher = Oracle()
    small = bank(tmp_path, pool=40)
    make_bank(small, teacher)
    asked, before = teacher.asked, files(small)
    more = (*SHIFTS, Shift(augmenter="random", degrees=(0.9,)))
    large = bank(tmp_path, pool=100, copies=3, reserve=40, shifts=more)
    assert large.folder == small.folder
    make_bank(large, teacher)
    answers = large.store(teacher)
    for unit in small.plan.units():
        matching = next(u for u in large.plan.units() if u.name == unit.name and u.shift == unit.shift)
        assert np.array_equal(
            small.logits(unit, teacher, answers), large.logits(matching, teacher, answers)[: unit.size]
        )
    assert teacher.asked - asked <= texts_of(large) - texts_of(small)
    copies = [name for name in before if name.startswith("copies/")]
    assert copies and all(files(large)[name] == before[name] for name in copies)


def test_a_damaged_file_is_named_and_mended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    teacher = Oracle()
    made = bank(tmp_path)
    make_bank(made, teacher)
    good, asked = files(made), teacher.asked
    victims = sorted(name for name in good if "degree-0.5/copy-001" in name)
    assert len(victims) == 2  # its copies and its answers
    for name in victims:
        data = bytearray(good[name])
        data[len(data) // 2] ^= 0xFF  # one flipped byte: only a checksum sees it
        (made.folder / name).write_bytes(bytes(data))
    make_bank(bank(tmp_path), teacher)
    mended = bank(tmp_path)
    for unit in mended.plan.units():
        mended.copies(unit)
    assert all(name in caplog.text for name in victims)
    assert files(mended) == good
    assert teacher.asked == asked


def test_copies_are_the_augmenters_own(tmp_path: Path) -> None:
    made = bank(tmp_path)
    units = list(made.plan.units())
    assert len(units) == 2 * 3
    original = made.pool.pool.corpus
    drawn = []
    for unit in units:
        copies = made.copies(unit)
        originals, texts = original.batch(np.arange(64)), copies.corpus.batch(np.arange(64))
        differs_N = (texts.ids_BL != originals.ids_BL).sum(axis=1)
        assert np.array_equal(differs_N, copies.changed_N[:64])
        assert np.array_equal(originals.eligible_BL.sum(axis=1), copies.eligible_N[:64])
        share = copies.changed_N.sum() / copies.eligible_N.sum()
        assert abs(share - unit.degree) < 0.05
        drawn.append(texts.ids_BL.tobytes())
    assert len(set(drawn)) == len(drawn)  # no two units drew the same


def test_banks_of_all_results_share_the_users_neighbour_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make_bank(bank(tmp_path / name), Oracle())
        assert not list((tmp_path / name).rglob("neighbours"))
        found += [(table.name, table.stat().st_mtime_ns) for table in users_tables().iterdir()]
    assert len(found) == 2 and found[0] == found[1]  # computed once


def test_logits_belong_to_their_texts(tmp_path: Path) -> None:
    made, teacher = bank(tmp_path), Oracle()
    make_bank(made, teacher)
    for unit in made.plan.units():
        batch: Batch = made.copies(unit).corpus.batch(np.arange(unit.size))
        assert np.allclose(made.logits(unit, teacher, made.store(teacher)), teacher.answer(batch), atol=1e-6)
