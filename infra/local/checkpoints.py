"""How far the streams have been read: in memory, or on a file beside the tables."""

import json
import os
from pathlib import Path


class MemoryCheckpoints:
    """Forgotten with the tables."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def get(self, shard: str) -> str | None:
        return self._seen.get(shard)

    def put(self, shard: str, sequence_number: str) -> None:
        self._seen[shard] = sequence_number


class FileCheckpoints:
    """Written after each batch, so that a restart takes up the stream where it was left. For one stream.

    A kill between a batch and its checkpoint brings the batch again, as Lambda may.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def get(self, shard: str) -> str | None:
        return self._seen.get(shard)

    def put(self, shard: str, sequence_number: str) -> None:
        self._seen[shard] = sequence_number
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(self._seen, file)
            file.flush()
            os.fsync(file.fileno())  # before the name: a power cut must not leave an empty file under it
        fresh.replace(self._path)
