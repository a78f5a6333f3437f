"""Text of somebody else's as one line. Pure."""


def one_line(text: str) -> str:
    """The text with a blank for each character that cannot be printed: nothing in it ends a line, is refused by an XML
    reader, or turns the direction of writing."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)
