"""Python packages of the system, for tests beside them."""

import importlib.util
import os
import sys

SYSTEM_PYTHON = "/usr/bin/python3"


def has_module(name):
    """Whether this interpreter has the package. Debian's packages are for Debian's interpreter: the test starts again there if needed."""
    if importlib.util.find_spec(name):
        return True
    if os.path.exists(SYSTEM_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON):
        sys.stdout.flush()
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    return False
