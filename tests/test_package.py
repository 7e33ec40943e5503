"""What is built is what was written."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Schemas, templates and styles travel with the code: an installed Quotidian lacks nothing of the source tree."""
    source = ROOT / "src"
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    wanted = {name for name in files if "__pycache__" not in name}
    assert {"quotidian/store/embedded/schema_v1.sql", "quotidian/py.typed"} <= wanted
    assert wanted <= set(wheel.namelist())


def test_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No test, benchmark or log is installed on anybody's machine."""
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"quotidian"}


def test_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    """The licence goes where the code goes."""
    licence = next(name for name in wheel.namelist() if name.endswith("LICENSE"))
    assert b"Apache License" in wheel.read(licence)
