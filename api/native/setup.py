"""Build the compiled reader; without a compiler it installs empty, and the service reads JSON with pydantic."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension("fast_records", ["records.cpp"], extra_compile_args=["-std=c++17", "-O3"], optional=True),
    ]
)
