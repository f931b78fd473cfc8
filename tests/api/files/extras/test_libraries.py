import subprocess
import sys

import pytest

from api.files.errors import UnreadableError
from api.files.extras.libraries import PACKAGES, list_suffixes, load_library
from api.files.suffixes import SUFFIXES
from tests.conftest import ROOT


def test_a_format_whose_package_is_missing_is_refused_with_what_to_install():
    with pytest.raises(UnreadableError) as refusal:
        load_library("no_such_package", "a LabVIEW TDMS file")
    assert "a LabVIEW TDMS file, which needs the package no_such_package" in str(refusal.value)
    assert "pip install -r api/requirements-files.txt" in str(refusal.value)


def test_every_suffix_is_told_where_all_packages_are_installed():
    assert list_suffixes() == [*SUFFIXES, *(each for suffixes in PACKAGES.values() for each in suffixes)]


def test_the_service_loads_none_of_the_packages():
    loaded = f"[name for name in {list(PACKAGES)} if name in sys.modules]"
    code = f"import sys, api.served_model, api.files.formats; print({loaded})"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
