"""Where reports are written."""

from collections.abc import Mapping
from pathlib import Path

from shared.kernel.errors import Rejected


def destinations(files: Mapping[str, bytes], output: Path | None, *, several: bool) -> dict[Path, bytes]:
    """The place of each file: in the folder that was named, or as the very file.

    `several`: whether there may be more than one, so that what is named is a folder even where it is not there yet.

    Raises:
        Rejected: `not_a_folder`.
    """
    folder = Path() if output is None else output
    if several and folder.exists() and not folder.is_dir():
        hint = "name a folder: there is one file for each table"
        raise Rejected("not_a_folder", f"{folder} is no folder", field="output", hint=hint)
    if output is not None and not several and not output.is_dir():
        (content,) = files.values()
        return {output: content}
    return {folder / name: content for name, content in files.items()}


def write(files: Mapping[Path, bytes]) -> None:
    """Write all of them; folders that are missing are made.

    Raises:
        Rejected: `unwritable_file`.
    """
    for place, content in files.items():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except OSError as error:
            raise Rejected("unwritable_file", f"{place} cannot be written: {error.strerror}", field="output") from error
