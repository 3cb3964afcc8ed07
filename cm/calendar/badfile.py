"""What is wrong with a file as a whole."""


class BadFile(ValueError):
    """The file cannot be read on from `row` (the first is 1); `column` is empty where none is meant."""

    def __init__(self, row: int, column: str, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.column = column
        self.message = message
