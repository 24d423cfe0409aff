"""A prompt on its way to being counted: texts between marks, marks and media of known size, and whether all of it is
what the model really reads."""


class Prompt:
    """Collects what the model reads. Texts with no mark between them are one text, since tokens may span them."""

    __slots__ = ("_open", "exact", "fixed", "texts")

    def __init__(self) -> None:
        self.fixed = 0  # tokens that are no text
        self.texts: list[str] = []
        self.exact = True
        self._open: list[str] = []

    def text(self, text: str) -> None:
        """Add text to the one that is open."""
        if text:
            self._open.append(text)

    def mark(self, tokens: int = 1) -> None:
        """Add tokens that are no text: nothing joins the text before with the text behind."""
        if self._open:
            self.texts.append("".join(self._open))
            self._open = []
        self.fixed += tokens

    def guess(self, tokens: int = 0) -> None:
        """Add about so many tokens; the whole is then an estimate."""
        self.mark(tokens)
        self.exact = False

    def separate(self, text: str) -> None:
        """Add a text that stands by itself."""
        self.mark(0)
        self.text(text)
        self.mark(0)
