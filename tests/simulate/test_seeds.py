"""Every random number has an address: nothing drawn depends on the order of the work."""

from __future__ import annotations

import numpy as np

from simulate.seeds import PURPOSES, stream, streams


def test_streams_depend_on_their_address_alone() -> None:
    one = stream(0, 5, 100, 3, "data").random(4)
    np.testing.assert_array_equal(one, streams(0, 5, 100, range(5), "data")[3].random(4))
    others = [(1, 5, 100, 3, "data"), (0, 4, 100, 3, "data"), (0, 5, 101, 3, "data"), (0, 5, 100, 2, "data")]
    for address in [*others, (0, 5, 100, 3, "test")]:
        assert not np.array_equal(one, stream(*address).random(4))


def test_purposes_do_not_share_their_numbers() -> None:
    drawn = {purpose: stream(0, 5, 100, 0, purpose).random() for purpose in PURPOSES}
    assert len(set(drawn.values())) == len(PURPOSES) == 9
