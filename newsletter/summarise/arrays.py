"""numpy on one thread. Every module of this package takes it from here, so that nothing imports it earlier.

The arrays of one article are small: with OpenBLAS's threads an article costs 1.5 times the CPU and is no sooner done.
An operator's own setting of the variable wins.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is loaded

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

__all__ = ["Floats", "Integers", "np"]
