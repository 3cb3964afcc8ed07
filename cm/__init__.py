"""Run an institution's social channels from the terminal."""

__version__ = "0.1.0"
