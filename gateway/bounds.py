"""What one input may hold, and how its parts are addressed in complaints."""

MAX_BYTES = 1 << 20
"""No manifest that a cluster accepts is larger than about this."""
MAX_DEPTH = 64
"""Lists and objects inside each other."""
TOO_DEEP = f"values are nested deeper than {MAX_DEPTH} levels"
MAX_NODES = 20_000
"""Values in one input, aliases counted as often as they are used."""
MAX_CHARS = 4 << 20
"""Characters of all texts in one input, aliases counted as often as they are used."""

_EXACT_INTEGERS_BELOW = float(1 << 53)


class Bounds:
    """Counts what an input holds and refuses what is too much, with a ValueError that says so."""

    def __init__(self) -> None:
        self._nodes = 0
        self._chars = 0

    def admit(self, value: object, depth: int) -> None:
        """Count a decoded value that stands ``depth`` levels down, and all that is in it."""
        self.admit_one(value if isinstance(value, str) else "", depth)
        match value:
            case dict():
                for key, member in value.items():
                    self.admit_text(key)
                    self.admit(member, depth + 1)
            case list():
                for item in value:
                    self.admit(item, depth + 1)

    def admit_one(self, text: str, depth: int) -> None:
        """Count one value without its parts."""
        if depth > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ValueError(f"there are more than {MAX_NODES} values, aliases expanded")
        self.admit_text(text)

    def admit_text(self, text: str) -> None:
        """Count the characters of a key or a text."""
        self._chars += len(text)
        if self._chars > MAX_CHARS:
            raise ValueError(f"there are more than {MAX_CHARS} characters, aliases expanded")


def at(path: str, step: str | int) -> str:
    """The path of a member or an item: ``spec.metrics[0].name``."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def below(path: str, rest: str) -> str:
    """The path of what stands at ``rest`` inside ``path``; an empty ``rest`` is the whole."""
    return path + rest if not rest or rest.startswith("[") else f"{path}.{rest}"


def place(text: str, offset: int) -> str:
    """Line and column of a character, as people count them."""
    line = text.count("\n", 0, offset) + 1
    return f"line {line}, column {offset - text.rfind(chr(10), 0, offset)}"


def whole(number: float) -> int | float:
    """The integer that a whole float stands for: Go prints 3.0 as 3, and so does Kubernetes."""
    is_exact = number.is_integer() and abs(number) < _EXACT_INTEGERS_BELOW
    return int(number) if is_exact else number
