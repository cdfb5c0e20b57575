"""Makes a folder of packages ready for Lambda: small, and quick to start.

Run by the Python version that Lambda will run: the byte code it compiles is for itself.
"""

import argparse
import ast
import compileall
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

RUNTIME_HAS = ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"]
UNUSED = ["bin", "**/__pycache__", "**/*.pyi", "**/*.dist-info/RECORD", "uvicorn/**/*.html"]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--code", type=Path, help="the AWS services that it uses are kept")
    parser.add_argument("--services", nargs="*", default=[], help="of AWS, to be kept as well")
    parser.add_argument("--boto3", choices=["own", "runtime"], default="own")
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    remove(folder, UNUSED)
    if given.boto3 == "runtime":
        remove(folder, RUNTIME_HAS)
    else:
        of_the_code = clients(given.code) if given.code else set()
        keep(folder / "botocore/data", of_the_code | set(given.services))
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


def clients(code: Path) -> set[str]:
    """The AWS services that this code makes clients of. Exits if a client's name is not written out
    where it is made: such a client would fail on Lambda alone, where its service is not described.
    """
    names, unknown = set(), []
    for path in sorted(code.rglob("*.py")):
        for line, name in made_in(ast.parse(path.read_bytes(), str(path))):
            if name is None:
                unknown.append(
                    f'{path}:{line}: write create_client("...") with the name of the AWS service: '
                    "the build keeps the descriptions of those that it finds"
                )
            else:
                names.add(name)
    if unknown:
        sys.exit("\n".join(unknown))
    return names


def made_in(tree: ast.AST) -> Iterator[tuple[int, str | None]]:
    """Where `create_client` is used: the line, and the service if it is called with a literal."""
    called = {node.func: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "create_client":
            match called.get(node):
                case ast.Call(args=[ast.Constant(str(name)), *_]):
                    yield node.lineno, name
                case _:
                    yield node.lineno, None


def keep(data: Path, services: set[str]) -> None:
    """Removes what botocore knows of all other services. The files beside their folders stay:
    every client needs the endpoints, the partitions and the retries."""
    if missing := sorted(name for name in services if not (data / name).is_dir()):
        sys.exit(f"botocore knows no AWS service of this name: {', '.join(missing)}")
    for described in data.iterdir():
        if described.is_dir() and described.name not in services:
            shutil.rmtree(described)


def remove(folder: Path, patterns: Iterable[str]) -> None:
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
