"""Makes a folder of packages ready for Lambda: small, and quick to start.

Run by the Python version that Lambda will run: the byte code it compiles is for itself.
"""

import argparse
import compileall
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode

RUNTIME_HAS = ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"]
UNUSED = ["bin", "**/__pycache__", "**/*.pyi", "**/*.dist-info/RECORD", "uvicorn/**/*.html"]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", nargs="*", default=[], help="of AWS, for botocore to know")
    parser.add_argument("--boto3", choices=["own", "runtime"], default="own")
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    remove(folder, UNUSED)
    if given.boto3 == "runtime":
        remove(folder, RUNTIME_HAS)
    else:
        for described in (folder / "botocore/data").iterdir():
            if described.is_dir() and described.name not in given.services:
                shutil.rmtree(described)
    # Python must not check this byte code against time stamps: a zip changes them.
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        force=True,
        stripdir=str(folder),
        prependdir="/var/task",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    sys.exit(0 if compiled else "a file could not be compiled")


def remove(folder: Path, patterns: Iterable[str]) -> None:
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
