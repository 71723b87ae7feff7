"""How much of this processor's matrix product a layer in training reaches, on one thread.

    python tests/benchmarks/layer_share.py

The share that `empirical.sweeps.devices` reckons with for cards that are not here.
"""

from __future__ import annotations

import time

import torch

from empirical.sweeps.layer_speed import LENGTH, time_layer

WIDTHS = ((512, 2048), (768, 3072), (1024, 4096))


def product_speed(size: int = 1024, tries: int = 5) -> float:
    """Operations a second of a square matrix product, the best of some tries."""
    left, right = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(tries + 1):
        began = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def main() -> None:
    torch.set_num_threads(1)
    for hidden, inner in WIDTHS:
        peak = product_speed()
        forward, both = time_layer(hidden, inner)
        operations = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * LENGTH * hidden
        print(
            f"width {hidden}: {peak / 1e9:.1f} GFLOP/s a product, a layer {operations / forward / peak:.0%} of it "
            f"forward, {3 * operations / both / peak:.0%} forward and backward"
        )


if __name__ == "__main__":
    main()
