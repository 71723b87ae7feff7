"""The neighbour table against brute force in double precision, and its cache."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment import neighbours as module
from empirical.augment.neighbours import neighbour_table
from theory.errors import InputError


def brute_force(vectors, candidate, count, metric):
    rows = vectors.astype(np.float64)
    if metric == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distance = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    distance[:, ~candidate] = np.inf
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1, kind="stable")[:, :count]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("size", "count"), [(40, 3), (700, 5), (1201, 15)])
def test_table_is_exact(metric, size, count, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEMORY", 8 * size * 97)  # several blocks, the last one short
    rng = np.random.default_rng(size)
    vectors = (rng.standard_normal((size, 12)) * rng.gamma(2, size=(size, 1))).astype(np.float32)
    candidate = rng.random(size) < 0.8
    table = neighbour_table(vectors, candidate, count, metric, tmp_path)
    assert np.array_equal(table, brute_force(vectors, candidate, count, metric))
    assert candidate[table].all()
    assert not (table == np.arange(size)[:, None]).any()


def test_metrics_differ_where_lengths_do(tmp_path):
    vectors = np.array([[1, 0], [0.9, 0.1], [30, 0], [0, 0.1], [-1, 0]], dtype=np.float32)
    everyone = np.ones(5, dtype=bool)
    assert neighbour_table(vectors, everyone, 1, "cosine", tmp_path)[0, 0] == 2
    assert neighbour_table(vectors, everyone, 1, "euclidean", tmp_path)[0, 0] == 1


def test_identical_rows_are_neighbours_but_not_the_token_itself(tmp_path):
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    table = neighbour_table(vectors, np.ones(12, dtype=bool), 3, "cosine", tmp_path)
    for row in range(12):
        assert sorted(table[row]) == [other for other in range(row // 4 * 4, row // 4 * 4 + 4) if other != row]


def test_cache_is_keyed_by_all_that_matters(tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    everyone = np.ones(50, dtype=bool)
    table = neighbour_table(vectors, everyone, 3, "cosine", tmp_path)
    computed = []
    compute = module._compute
    monkeypatch.setattr(module, "_compute", lambda *given: computed.append(1) or compute(*given))
    assert np.array_equal(neighbour_table(vectors, everyone, 3, "cosine", tmp_path), table)
    assert not computed
    other, fewer = vectors.copy(), everyone.copy()
    other[7, 2] += 1e-3
    fewer[9] = False
    for given in ((other, everyone, 3, "cosine"), (vectors, fewer, 3, "cosine"), (vectors, everyone, 4, "cosine")):
        neighbour_table(*given, tmp_path)
    neighbour_table(vectors, everyone, 3, "euclidean", tmp_path)
    assert len(computed) == 4
    assert not list(tmp_path.glob("*.part"))


def test_damaged_cache_is_computed_again(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    everyone = np.ones(50, dtype=bool)
    table = neighbour_table(vectors, everyone, 3, "cosine", tmp_path)
    (file,) = tmp_path.iterdir()
    for damage in (b"", b"no array", file.read_bytes()[:60]):
        file.write_bytes(damage)
        assert np.array_equal(neighbour_table(vectors, everyone, 3, "cosine", tmp_path), table)
    # An array of objects would have to be unpickled: it is refused and replaced.
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    assert np.array_equal(neighbour_table(vectors, everyone, 3, "cosine", tmp_path), table)


def test_impossible_requests_are_told(tmp_path):
    vectors = np.ones((5, 2), dtype=np.float32)
    with pytest.raises(InputError, match="neighbours: found 5"):
        neighbour_table(vectors, np.ones(5, dtype=bool), 5, "cosine", tmp_path)
    vectors[2, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        neighbour_table(vectors, np.ones(5, dtype=bool), 2, "cosine", tmp_path)
