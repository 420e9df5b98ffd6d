"""Tornado, for tests beside it."""

import importlib.util
import os
import sys

SYSTEM_PYTHON = "/usr/bin/python3"


def has_tornado():
    """Whether this interpreter has Tornado. Debian's package is for Debian's interpreter: the test starts again there if needed."""
    if importlib.util.find_spec("tornado"):
        return True
    if os.path.exists(SYSTEM_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON):
        sys.stdout.flush()
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    return False
