"""One line of TAP a check, as the other test programs print them."""

import sys


class Tap:
    def __init__(self):
        self.count = 0

    def check(self, name, problems):
        """Passes if there are no problems, else prints each."""
        self.count += 1
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")

    def end(self):
        print(f"1..{self.count}")
        sys.stdout.flush()
