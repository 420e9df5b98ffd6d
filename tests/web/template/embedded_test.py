#!/usr/bin/env python3
"""Templates in a program: `embedded_test.py PROGRAM EMBED_TEMPLATES`."""

import pathlib
import subprocess
import sys
import tempfile

from tap import Tap


def main():
    program, script = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        # Where there are no files of templates.
        page = subprocess.run([pathlib.Path(program).resolve(), "<b>"], capture_output=True, text=True, cwd=folder, check=False)
        expected = '<title>caf\u00e9</title><p>"quoted" \\ ?? &lt;b&gt;</p>\n'
        tap.check("a program renders its embedded templates", [] if page.stdout == expected else [page.stdout, page.stderr])
        root = pathlib.Path(folder)
        (root / "pages").mkdir()
        outputs = [root / "out.cc", root / "out.h"]
        command = [sys.executable, script, root / "pages", "kPages", *outputs]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
        tap.check("a folder without files is refused", [] if refused.returncode and "has no files" in refused.stderr else [refused.stderr])
        for name in ("b", "a", ".hidden", "backup~"):
            (root / "pages" / name).write_bytes(b"\x00\xff1")
        subprocess.run([*command, "--namespace", "mine"], check=True)
        text = outputs[0].read_text()
        names = [line.split('"')[1] for line in text.splitlines() if line.startswith("    {")]
        tap.check("files are sorted, and hidden ones left out", [] if names == ["a", "b"] else names)
        tap.check("any bytes are kept", [] if r'"\000\3771"sv' in text else [text])
        tap.check("the array is in the namespace", [] if "namespace mine {" in text and "namespace mine {" in outputs[1].read_text() else [text])
    tap.end()


main()
