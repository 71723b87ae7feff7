"""The calibration on this machine."""

from __future__ import annotations

import torch

from empirical.augment.translation import Apertium
from empirical.sweeps.layer_speed import time_layer, time_translation


def test_the_calibration_times_real_layers_and_a_real_translator():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = [time_layer(64, 256), time_layer(64, 256, recurrent=True)]
    torch.set_num_threads(threads)
    assert all(0 < forward < both for forward, both in times)
    assert time_translation(Apertium(), ["The house is very old.", "We saw three dogs.", "It rains.", "She sings."]) > 0
