"""Tornado, for tests beside it."""

from system_python import has_module


def has_tornado():
    """Whether this interpreter has Tornado, or is replaced by one that has it."""
    return has_module("tornado")
