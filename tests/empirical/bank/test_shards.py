"""A bank's files come back as they were, pairs and large vocabularies too; short or damaged ones count as missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.bank.shards import copies_of, read_copies, read_logits, write_copies, write_logits
from empirical.tokens.batch import Augmented, Batch


def augmented(pairs: bool, largest: int) -> Augmented:
    ids_BL = np.array([[1, largest, 2, 0], [1, 5, 6, 2], [1, 2, 0, 0]], dtype=np.int32)
    mask_BL = ids_BL > 0
    segment_BL = np.zeros_like(ids_BL, dtype=np.int8)
    segment_BL[1, 2:] = int(pairs)
    batch = Batch(ids_BL=ids_BL, mask_BL=mask_BL, eligible_BL=mask_BL, segment_BL=segment_BL)
    return Augmented(batch=batch, eligible_B=np.array([1, 2, 0]), changed_B=np.array([1, 0, 0]),
                     changed_BL=np.zeros_like(mask_BL))  # fmt: skip


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize(("largest", "bytes_a_token"), [(30_000, 2), (250_000, 4)])
def test_copies_come_back(tmp_path: Path, pairs: bool, largest: int, bytes_a_token: int) -> None:
    made = augmented(pairs, largest)
    write_copies(tmp_path / "block.npz", copies_of(made, pad_id=0))
    found = read_copies(tmp_path / "block.npz", 3, pad_id=0)
    assert found is not None and len(found) == 3
    batch = found.corpus.batch(np.arange(3))
    assert np.array_equal(batch.ids_BL, made.batch.ids_BL) and np.array_equal(batch.segment_BL, made.batch.segment_BL)
    assert found.eligible_N.tolist() == [1, 2, 0] and found.changed_N.tolist() == [1, 0, 0]
    with np.load(tmp_path / "block.npz") as file:
        assert file["ids"].itemsize == bytes_a_token and ("segment" in file.files) == pairs
    assert read_copies(tmp_path / "block.npz", 4, pad_id=0) is None  # a larger plan wants more of the block


def test_logits_come_back_and_what_is_damaged_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_logits(tmp_path / "block.npz", logits)
    assert np.array_equal(read_logits(tmp_path / "block.npz", 1, 3), logits[:1])
    assert read_logits(tmp_path / "block.npz", 2, 4) is None and read_logits(tmp_path / "other.npz", 1, 3) is None
    assert not caplog.text
    (tmp_path / "block.npz").write_bytes((tmp_path / "block.npz").read_bytes()[:-20])
    assert read_logits(tmp_path / "block.npz", 1, 3) is None and "block.npz is damaged" in caplog.text
    np.savez(tmp_path / "half.npz", ids=np.zeros(1))
    assert read_copies(tmp_path / "half.npz", 0, 0) is None and "no length" in caplog.text
