"""Configurations: names (digests) that kept results bear stay as they are when fields are added."""

from __future__ import annotations

import json

from empirical.config import AugmentConfig, RunConfig, TaskConfig, _Config


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
