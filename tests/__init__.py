"""Tests run side by side on a few cores, so under pytest each process has one thread for linear algebra.

Where a stage asks for more threads, they sleep while they wait: threads that spin beside other programs take ten times
the time, and the bytes of what they compute are the same.
"""

import os

if "PYTEST_VERSION" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
