"""Tests run side by side on a few cores, so under pytest each process has one thread for linear algebra."""

import os

if "PYTEST_VERSION" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
