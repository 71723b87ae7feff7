"""Configurations: one for runs that do the same work, and mistakes named by their field."""

from __future__ import annotations

import json

import pytest

from empirical.config import (
    AUGMENTERS,
    COMMON_OPTIONS,
    OWN_OPTIONS,
    AugmentConfig,
    ModelConfig,
    RunConfig,
    TaskConfig,
    _Config,
    canonical,
    load_run,
    run_of,
)
from theory.errors import InputError

OTHER = {"neighbours": 5, "metric": "euclidean", "engine": "some/model", "pivots": ("fra",), "decoding": "sample",
         "student": "some/folder", "language_model": "some/model", "calls": 3, "tokens": 900, "candidates": 9,
         "pattern": "{label}: {text}"}  # fmt: skip
CONDITIONAL = {"mixing", "candidates"}  # read where copies are made offline, where glitter selects


def test_every_option_is_everybodys_or_somebodys():
    owned = {option for options in OWN_OPTIONS.values() for option in options}
    assert owned | set(COMMON_OPTIONS) | CONDITIONAL == set(AugmentConfig.model_fields)
    assert not owned & set(COMMON_OPTIONS)


def test_conditional_options_count_where_they_are_read():
    def digest(**options):
        return canonical(RunConfig(augment=AugmentConfig(augmenter="random", **options))).digest()

    assert digest(mixing="mixed") == digest() and digest(mixing="mixed", copies=2) != digest(copies=2)
    assert digest(candidates=9) == digest() == digest(selection="high-entropy")
    assert digest(selection="glitter", candidates=9) != digest(selection="glitter")
    assert digest(selection="high-entropy", entropy_quantile=0.5) != digest(entropy_quantile=0.5)


@pytest.mark.parametrize("augmenter", AUGMENTERS)
@pytest.mark.parametrize("option", sorted({option for options in OWN_OPTIONS.values() for option in options}))
def test_an_option_changes_the_digest_of_those_that_read_it_only(augmenter, option):
    plain = AugmentConfig(augmenter=augmenter, engine="m" if augmenter == "back-translation" else None)
    digests = {
        canonical(RunConfig(augment=augment)).digest()
        for augment in (plain, plain.model_copy(update={option: OTHER[option]}))
    }
    assert len(digests) == (2 if option in OWN_OPTIONS[augmenter] else 1)


def test_options_of_everybody_change_the_digest():
    plain = AugmentConfig(augmenter="random")
    changes = {"degree": 0.7, "copies": 4, "embeddings": "student", "entropy_quantile": 0.5}
    runs = [plain, *(plain.model_copy(update={name: value}) for name, value in changes.items())]
    assert len({canonical(RunConfig(augment=augment)).digest() for augment in runs}) == 5


def test_decoding_is_of_translation_models():
    apertium = AugmentConfig(augmenter="back-translation", copies=1, engine="apertium")
    sampled = apertium.model_copy(update={"decoding": "sample"})
    assert canonical(RunConfig(augment=apertium)) == canonical(RunConfig(augment=sampled))


def test_what_does_the_same_work_is_one_configuration():
    assert canonical(RunConfig(data_size=1)).digest() == canonical(RunConfig(data_size=1.0)).digest()
    assert canonical(RunConfig(data_size=100.0)).digest() == canonical(RunConfig(data_size=100)).digest()
    assert canonical(RunConfig(mode="finetune")).teacher is None
    bilstm = ModelConfig(architecture="bilstm", layers=(0, 3))
    assert canonical(RunConfig(student=bilstm)).student.layers is None
    run = canonical(RunConfig(augment=AugmentConfig(neighbours=5)))
    assert canonical(run) == run, "a second time it changes nothing"


def test_no_degree_no_augmenter_and_online_are_what_they_say():
    assert run_of({"augment": {"degree": 0}}, "x").augment is None
    assert run_of({"augment": {"augmenter": None}}, "x").augment is None
    assert run_of({"augment": {"copies": "online"}}, "x").augment == AugmentConfig()


def test_a_file_with_none_and_values_over_it(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('seed = 3\n[student]\nlayers = "none"\n[augment]\naugmenter = "none"')
    run = load_run(path, base={"seed": 1, "data_seed": 2}, over={"train": {"steps": 7}})
    assert (run.student.layers, run.augment, run.seed, run.data_seed, run.train.steps) == (None, None, 3, 2, 7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"augment": {"augmenter": "knnn"}}, "nearest: knn"),
        ({"augment": {"degree": 2}}, "here: augment.degree: found 2"),
        ({"stepz": 1}, "here: stepz"),
    ],
)
def test_mistakes_name_the_place_and_the_field(values, message):
    with pytest.raises(InputError, match=message):
        run_of(values, "here")


def test_fields_that_came_later_change_a_digest_only_when_they_are_set():
    assert RunConfig().digest() == "43f21b5d2aba96fb"
    assert AugmentConfig().digest() == "a4c9055c5739f82f"
    assert "metric" not in TaskConfig().model_dump() and "metric" not in RunConfig().model_dump()["task"]
    scored = TaskConfig(metric="matthews")
    assert scored.model_dump()["metric"] == "matthews" and scored.digest() != TaskConfig().digest()
    assert TaskConfig.model_validate(json.loads(json.dumps(scored.model_dump(mode="json")))) == scored


def test_later_fields_exist():
    for kind in _Config.__subclasses__():
        assert kind.later <= set(kind.model_fields), kind
