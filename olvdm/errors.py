"""The failures that we can explain: each carries one sentence that is safe to show anybody."""


class OlvdmError(Exception):
    """Say what is wrong, where, and what would be right, in one sentence.

    Args:
        user_message: The sentence; it names the value, the limit and the remedy, and holds no
            path, no traceback and no text of another library.

    Attributes:
        exit_code: With which a command ends.
    """

    exit_code: int = 2

    def __init__(self, user_message: str) -> None:
        super().__init__(user_message)
        self.user_message = user_message


class InputError(OlvdmError, ValueError):
    """Refuse a value that a person or a program asked for."""


class VideoError(OlvdmError):
    """Refuse a file that is not a video which we can read."""


class CheckpointError(OlvdmError):
    """Refuse weights that are missing, damaged or of another format."""


class TrainingError(OlvdmError):
    """Stop a training: the loss is not finite, or there is nothing to resume."""

    exit_code = 3


class StorageError(TrainingError):
    """Stop a training that can no longer save what it learns."""

    exit_code = 4
