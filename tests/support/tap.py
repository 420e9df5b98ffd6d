"""Tests in Python that print one line of TAP for each check, like the other test programs."""

import sys
import traceback


class Tap:
    def __init__(self):
        self.count = 0

    def check(self, name, problems):
        """Passes if `problems` is empty, otherwise prints each problem."""
        self.count += 1
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"# {line}")
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")

    def skip(self, name, reason):
        """Counts as neither passed nor failed."""
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def run(self, tests):
        """Calls each function; its documentation is its name, and an exception its failure."""
        for test in tests:
            try:
                test()
                self.check(test.__doc__, [])
            except Exception:  # pylint: disable=broad-except
                self.check(test.__doc__, [traceback.format_exc()])

    def end(self):
        print(f"1..{self.count}")
        sys.stdout.flush()
