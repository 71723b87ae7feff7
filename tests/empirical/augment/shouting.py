"""A translator for tests."""

from __future__ import annotations


class Shouting:
    """An engine that upper-cases, marks the pivot, and counts what it is asked."""

    pivots = ("aa", "bb")

    def __init__(self, random=False):
        self.name, self.random, self.asked = "shouting", random, []

    def round_trip(self, texts, pivot, seed):
        self.asked += texts
        return [f"{pivot} {text} {seed if self.random else ''}".strip() for text in texts]
