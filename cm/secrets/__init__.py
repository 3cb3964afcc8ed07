"""Tokens and passwords: where they are kept, how they are read, renewed and trusted. None is kept in memory."""

from cm.secrets.login import Login, token_file
from cm.secrets.places import reveal

__all__ = ["Login", "reveal", "token_file"]
