"""Memory that was needed once is not kept for good."""

import platform
import subprocess
import sys

import pytest

#: Blocks of 4 MB that come and go, with small ones between them that stay.
PROGRAM = """
import sys
from quotidian.service.memory import give_back

if sys.argv[1] == "given back":
    assert give_back()

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

before, small = resident(), []
for _ in range(3):
    large = []
    for _ in range(8):
        large.append(bytearray(b"x") * 4_000_000)
        small.append(bytearray(b"x") * 5_000)
    del large
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc, which has these thresholds")
def test_large_blocks_go_back_to_the_system() -> None:
    """What was freed is not resident any more; without being told so, the C library keeps megabytes of it."""

    def kept(how: str) -> int:
        command = [sys.executable, "-c", PROGRAM, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert kept("given back") < 2_000_000
    assert kept("left") > 8_000_000
