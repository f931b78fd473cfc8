"""The memory of a service that answers for half a minute, and that what others read is none of it.

`python -m tests.tools.soak` measures it for longer.
"""

import subprocess
import sys

import pytest

from tests.tools.soak.growth import soak
from tests.tools.soak.measured import check
from tests.tools.soak.service import look_at

pytestmark = pytest.mark.alone
READ_A_FILE = """
import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    print(len(mapped[::4096]), flush=True)
    sys.stdin.read()
"""


def test_memory_and_descriptors_do_not_grow():
    check(soak(30, 15_000, most_slope=5))


def test_the_end_of_another_program_that_reads_the_same_files_is_no_growth(tmp_path):
    (tmp_path / "library").write_bytes(bytes(8_000_000))
    command = [sys.executable, "-c", READ_A_FILE, tmp_path / "library"]
    one, other = (subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2))
    with one:
        with other:
            assert one.stdout.readline() == other.stdout.readline() == b"1954\n"
            before = {pages: look_at(one.pid, pages)[0] for pages in ("Pss", "Pss_Anon")}
            other.stdin.close()
        after = {pages: look_at(one.pid, pages)[0] for pages in ("Pss", "Pss_Anon")}
    assert after["Pss"] > before["Pss"] + 2
    assert after["Pss_Anon"] == pytest.approx(before["Pss_Anon"], abs=0.5)
