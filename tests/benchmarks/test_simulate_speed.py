"""Speed of the laboratory against plain loops over well-kept libraries, as ratios within one process.

`pytest -m benchmark_ratio tests/benchmarks/test_simulate_speed.py -s` prints every time and ratio. The two sides of a
ratio do the same work on the same examples and must agree; rivals run a sample of the students and are scaled up.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from scipy import stats
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KernelDensity
from sklearn.neural_network import MLPRegressor

from simulate.cell import generate, simulate_block
from simulate.experiment import run_experiment
from simulate.experiment_config import ExperimentConfig, make_config
from simulate.imperfect_teacher import build_teacher
from simulate.mixture import log_density
from simulate.parallel import one_torch_thread
from simulate.seeds import streams
from simulate.truth import build_truth

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.benchmark_ratio, pytest.mark.timeout(1200)]

TAUS = [float(f"{t:.3g}") for t in np.geomspace(0.001, 3.0, 12)]
GRID = {
    "dimension": 5,
    "data_size": [30, 100, 300, 1000, 3000],
    "tau": TAUS,
    "supervision": "teacher",
    "augmented_size": "4096",
    "test_size": 4096,
    "replicates": 20,
    "students": {"features": 256},
    "penalty": 1e-3,
    "alpha": 0.0,
    "gamma": 0.0,
}


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def report(name: str, ours: float, theirs: float, wanted: float) -> None:
    print(f"\n{name}: ours {ours:.2f} s, rival {theirs:.2f} s, ratio {theirs / ours:.1f} (wanted {wanted:g})")
    assert theirs / ours >= wanted


def examples_of(config: ExperimentConfig, data_size: int, replicate: int, tau: float):
    """One student's examples and tests in double precision, as a plain loop would hold them."""
    family = next(f for f in config.families() if f.data_size == data_size)
    world = generate(config, family, [replicate])
    truth = build_truth(family.truth)
    teacher = build_teacher(
        family.teacher,
        truth,
        streams(config.seed, family.dimension, data_size, [replicate], "teacher"),
        dimension=family.dimension,
        teacher_epsilon=family.teacher_epsilon,
        trust_radius=family.trust_radius,
        outside=family.outside,
        teacher_size=config.teacher_size,
        device=torch.device("cpu"),
    )
    x = world.augmented([tau])[:, 0]
    arrays = (x[0], teacher(x)[0], world.test_RQd[0], truth(world.test_RQd)[0])
    return tuple(a.double().numpy() for a in arrays)


def sampler(config: ExperimentConfig, seed: int) -> RBFSampler:
    gamma = 1 / (2 * config.students.bandwidth**2 * 2 * 5)
    return RBFSampler(gamma=gamma, n_components=config.students.features, random_state=seed)


def ridge_rival(config: ExperimentConfig, data_size: int, replicate: int, tau: float) -> float:
    x, g, tests, f = examples_of(config, data_size, replicate, tau)
    features = sampler(config, replicate)
    model = Ridge(alpha=float(config.penalty[0]) * len(x), fit_intercept=False)
    model.fit(features.fit_transform(x), g - 0.5)
    return float(np.abs(np.clip(0.5 + model.predict(features.transform(tests)), 0, 1) - f).mean())


def logistic_rival(config: ExperimentConfig, data_size: int, replicate: int, tau: float) -> float:
    """Soft targets as two weighted copies of every example, which is what scikit-learn's interface allows."""
    x, g, tests, f = examples_of(config, data_size, replicate, tau)
    features = sampler(config, replicate)
    phi = features.fit_transform(x)
    model = LogisticRegression(C=1 / (float(config.penalty[0]) * len(x)), fit_intercept=False, max_iter=1000)
    labels = np.repeat([1, 0], len(x))
    model.fit(np.concatenate([phi, phi]), labels, sample_weight=np.concatenate([g, 1 - g]))
    return float(np.abs(model.predict_proba(features.transform(tests))[:, 1] - f).mean())


def mlp_rival(config: ExperimentConfig, data_size: int, replicate: int, tau: float) -> float:
    x, g, tests, f = examples_of(config, data_size, replicate, tau)
    epochs = config.students.steps * config.students.batch_size // len(x)
    model = MLPRegressor(
        hidden_layer_sizes=(config.students.hidden,),
        alpha=0.0,
        batch_size=config.students.batch_size,
        learning_rate_init=config.students.learning_rate,
        max_iter=epochs,
        n_iter_no_change=epochs,
        tol=0.0,
        random_state=replicate,
    )
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it stopped at max_iter, as it was told to
        model.fit(x, g - 0.5)
    return float(np.abs(np.clip(0.5 + model.predict(tests), 0, 1) - f).mean())


def rival_loop(
    one: Callable[..., float], config: ExperimentConfig, cells: list[tuple[int, int, float]]
) -> tuple[float, list[float]]:
    """Seconds and errors of a plain loop, linear algebra on both cores; prints the time of two processes as well."""
    one(config, *cells[0])
    begin = time.perf_counter()
    errors = [one(config, *cell) for cell in cells]
    seconds = time.perf_counter() - begin
    with Parallel(n_jobs=2) as parallel:
        parallel(delayed(one)(config, *cells[0]) for _ in range(2))
        processes = timed(lambda: parallel(delayed(one)(config, *cell) for cell in cells))
    each, spread = (1e3 * total / len(cells) for total in (seconds, processes))
    print(f"\nrival: {each:.0f} ms a student in a plain loop, {spread:.0f} ms in two processes")
    return seconds, errors


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Means within two standard errors of their difference (independent random features), or 0.002."""
    se = math.hypot(ours.std(ddof=1), theirs.std(ddof=1)) / math.sqrt(len(theirs))
    assert abs(ours.mean() - theirs.mean()) < max(2 * se, 0.002)


def test_ridge_grid(tmp_path: Path) -> None:
    """1,200 ridge students: at least 10 times a scikit-learn loop on both cores, in at most 8 s on two quiet cores."""
    config = make_config(GRID)
    run_experiment(make_config({**GRID, "replicates": 2, "data_size": 30}), tmp_path / "warm", workers=2)
    ours = timed(lambda: run_experiment(config, tmp_path / "grid", workers=2))
    cells = [(300, replicate, tau) for replicate in range(4) for tau in TAUS]
    seconds, errors = rival_loop(ridge_rival, config, cells)
    family = next(f for f in config.families() if f.data_size == 300)
    mine = simulate_block(config, family, 0, 4)["error"]
    for column in range(len(TAUS)):
        agree(mine[:, column], np.array(errors).reshape(4, -1)[:, column])
    print(f"\n1,200 ridge students in {ours:.1f} s")
    report("ridge", ours, seconds * 1200 / len(cells), 10)


def student_ratio(name: str, one: Callable[..., float], wanted: float, **students: object) -> None:
    config = make_config(
        {**GRID, "data_size": 300, "student": name, "students": {**GRID["students"], **students}, "block": 8}
    )
    family = config.families()[0]
    cells = [(300, replicate, tau) for replicate in range(2) for tau in TAUS[::3]]
    seconds, errors = rival_loop(one, config, cells)
    blocks = [(config, family, 0, 8), (config, family, 8, 16)]
    with one_torch_thread(), Parallel(n_jobs=2, backend="threading") as parallel:
        found: list[dict[str, np.ndarray]] = []
        ours = timed(lambda: found.extend(parallel(delayed(simulate_block)(*block) for block in blocks)))
    mine, theirs = found[0]["error"][:2, ::3], np.array(errors).reshape(2, -1)
    print(f"\n{name}: mean errors ours {mine.mean():.4f}, rival {theirs.mean():.4f}")
    assert mine.mean() < theirs.mean() + 0.004
    report(name, ours, seconds * 16 * len(TAUS) / len(cells), wanted)


def test_logistic_students() -> None:
    """At least 10 times a LogisticRegression loop at equal error."""
    student_ratio("logistic", logistic_rival, 10)


def test_mlp_students() -> None:
    """At least 5 times an MLPRegressor loop with the same network, batches, rate and steps."""
    student_ratio("mlp", mlp_rival, 5, steps=1280, batch_size=64, learning_rate=3e-3)


def test_mixture_log_density() -> None:
    """20,000 centres at 20,000 points, d = 5: at least 5 times SciPy and scikit-learn, memory under 1 GiB."""
    rng = np.random.default_rng(0)
    centres, points, tau = rng.standard_normal((20_000, 5)), rng.standard_normal((20_000, 5)), 0.1
    centred = centres - centres.mean(0)
    centres = np.linalg.solve(np.linalg.cholesky(np.cov(centred.T)), centred.T).T
    log_density(points[:100], centres, tau)
    found: list[np.ndarray] = []
    ours = timed(lambda: found.append(log_density(points, centres, tau)))
    sample = points[:1000]
    rival = stats.gaussian_kde(centres.T, bw_method=math.sqrt(tau))
    scipy_seconds = timed(lambda: rival(sample.T)) * 20
    tree = KernelDensity(bandwidth=math.sqrt(tau), rtol=0, atol=0).fit(centres)
    tree_found: list[np.ndarray] = []
    tree_seconds = timed(lambda: tree_found.append(tree.score_samples(sample))) * 20
    np.testing.assert_allclose(np.exp(found[0][:1000]), rival(sample.T), rtol=1e-5)
    np.testing.assert_allclose(found[0][:1000], tree_found[0], atol=1e-5)
    report("log density against scipy.stats.gaussian_kde", ours, scipy_seconds, 5)
    report("log density against sklearn KernelDensity", ours, tree_seconds, 5)


PEAK = """
import resource
import numpy as np
from simulate.mixture import log_density
points = np.random.default_rng(0).standard_normal((20_000, 5))
log_density(points[:100], points[:100], 0.1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
log_density(points, points[::-1], 0.1)
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_mixture_log_density_needs_little_memory() -> None:
    """The whole process stays under 1 GiB, where the matrix of exponents alone would take 3 GiB."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, cwd=ROOT)
    before, peak = (int(part) / 2**20 for part in done.stdout.split())
    print(f"\nlog density: peak memory {peak:.2f} GiB, {1024 * (peak - before):.0f} MiB of it the computation")
    assert peak < 1
