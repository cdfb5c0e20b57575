"""Files in a dictionary, for tests."""

from threading import Lock


class MemoryFileStore:
    """A dictionary, for tests."""

    def __init__(self) -> None:
        self._lock, self.files = Lock(), dict[str, bytes]()

    def put(self, name: str, content: bytes) -> str:
        with self._lock:
            self.files[name] = content
        return f"memory:{name}"

    def get(self, name: str) -> bytes:
        try:
            return self.files[name]
        except KeyError:
            raise FileNotFoundError(name) from None
