#!/usr/bin/env python3
"""An error of a route's or a handler's type is one readable message: `handler_errors_test.py ROOT COMPILER [ARGUMENT...]`.

Other compilers that are installed are tried too.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from tap import Tap

HEAD = """
#include <squall/web.h>
#include <squall/websocket.h>
using namespace squall;
using web::url;
struct Handler : web::RequestHandler { void get() {} };
"""

# The body of a handler class, and the text of the one error.
HANDLERS = [
    ("void show() {}", "a handler needs a verb"),
    ("void get() {} void del() {}", "the verb of DELETE is spelled delete_, not del"),
    ("void Get() {}", "verbs are spelled get, head"),
    ("void GET() {}", "verbs are spelled get, head"),
    ("void Options() {} void get() {}", "verbs are spelled get, head"),
    ("int get() { return 1; }", "a verb returns void or Task<>"),
    ("Task<int> get() { co_return 1; }", "a verb returns void or Task<>"),
    ("void get() {} void data_received(std::string_view) {}", "data_received(std::string_view) returns void or Task<>"),
    ("static constexpr bool stream_request_body = true; void get() {} void data_received(std::string) {}",
     "data_received(std::string_view) returns void or Task<>"),
    ("void get() {} bool prepare() { return true; }", "prepare() and on_finish() return void or Task<>"),
    ("void get() {} int initialize() { return 1; }", "prepare() and on_finish() return void or Task<>"),
    ("void get() {} Task<int> on_finish() { co_return 1; }", "prepare() and on_finish() return void or Task<>"),
    ("void get() {} Task<> on_connection_close() { co_return; }", "on_connection_close() returns void"),
    ("void get() {} std::string get_current_user() { return {}; }", "get_current_user() has no parameters and returns"),
    ("void get() {} std::optional<std::string> get_login_url() { return {}; }", "get_login_url() has no parameters and returns"),
    ("void get() {} std::string get_login_url(int) { return {}; }", "get_login_url() has no parameters and returns"),
    ("void get() {} std::string compute_etag() { return {}; }", "compute_etag() returns"),
    ("int lock() { return 1; } using extra_methods = web::ExtraMethods<web::ExtraMethod<\"LOCK\", &H::lock>>;", "a verb returns"),
    ("void get(void*) {}", "a verb's parameter must be an integer"),
    ("Task<> get(const std::string&) { co_return; }", "takes its parameters by value"),
    ("void get() {} private: void post() {}", "must be public"),
    ("void get() {} void get(int) {}", "must be public"),
    ("static void get() {}", "must be public"),
    ("explicit H(int) {} void get() {}", "a handler needs a public constructor without parameters"),
    ("void get() {} void initialize(int) {}", "the arguments of url<H>() are not those that H::initialize() takes"),
]
# The same for a WebSocketHandler.
SOCKETS = [
    ("void open() {}", "a WebSocketHandler needs on_message(std::string_view text), or"),
    ("void on_message(std::string) {}", "on_message() takes a std::string_view, which is text, a const"),
    ("void on_message(websocket::MessageStream) {}", "on_message(websocket::MessageStream) returns Task<>"),
    ("Task<> on_message(websocket::MessageStream) { co_return; } void on_ping(std::string_view) {}", "has no on_ping() and on_pong()"),
    ("void on_message(const std::string&) {}", "on_message() takes a std::string_view, which is text, a const"),
    ("void on_message(std::string_view, bool) {}", "on_message() takes a std::string_view, which is text, a const"),
    ("int on_message(std::string_view) { return 1; }", "on_pong() and on_close() return void or Task<>"),
    ("void on_message(std::string_view) {} Task<bool> open() { co_return true; }", "on_pong() and on_close() return void or Task<>"),
    ("void on_message(std::string_view) {} void on_close(int) {}", "on_ping() and on_pong() take a std::string_view, and on_close() takes"),
    ("void on_message(std::string_view) {} void on_ping() {}", "on_ping() and on_pong() take a std::string_view, and on_close() takes"),
    ("void on_message(std::string_view) {} void open(void*) {}", "a parameter of open() must be an integer"),
    ("void on_message(std::string_view) {} Task<> open(const std::string&) { co_return; }",
     "open() that returns Task<> takes its parameters by value"),
    ("void on_message(std::string_view) {} void get() {}", "a WebSocketHandler answers GET by itself"),
    ("void on_message(std::string_view) {} void on_open() {}", "is spelled open, not on_open"),
    ("void on_message(std::string_view) {} private: void on_close() {}", "the hooks of a WebSocketHandler"),
    ("void on_message(std::string_view) {} void on_message(const websocket::Message&) {}", "the hooks of a WebSocketHandler"),
    ("static void on_message(std::string_view) {}", "the hooks of a WebSocketHandler"),
    ("void on_message(std::string_view) {} bool prepare() { return true; }", "prepare() and on_finish() return void or Task<>"),
]
# A statement, and the text of the one error.
STATEMENTS = [
    ("auto rule = url<std::string>(\"/\");", "derived"),
    ("auto rule = url<Handler>(\"/\", 7);", "the arguments of url<H>() are not those"),
    ('auto rule = url("/", [](int) {});', "the function of a route takes a RequestHandler&"),
    ('auto rule = url("/", [](auto&) {});', "the function of a route takes a RequestHandler&"),
    ('auto rule = url("/", [](web::RequestHandler&) { return 1; });', "the function of a route returns void or Task<>"),
    ('auto rule = url("/", [n = 1](web::RequestHandler&) mutable { ++n; });', "must not be mutable"),
    ('auto rule = url("/", [](web::RequestHandler&, void*) {});', "behind the RequestHandler& must be an integer"),
    ('auto rule = url("/", [](web::RequestHandler&, const std::string&) -> Task<> { co_return; });',
     "takes the path's groups by value"),
    ('web::Application app{url<Handler>("/")};', "Application takes its routes as one list"),
    ('web::Application app(url<Handler>("/"), web::Settings());', "Application takes its routes as one list"),
    ('Handler().set_header("Name", 1.5);', "a header's value is text, a whole number or a time"),
    ('Handler().set_header("Name", nullptr);', "a header's value is text, a whole number or a time"),
    ('Handler().add_header("Name", true);', "a header's value is text, a whole number or a time"),
]
TAKEN = [
    "struct H : websocket::WebSocketHandler { void open(int, std::optional<std::string>) {} Task<> on_message(std::string_view)"
    " { co_return; } void on_ping(std::string_view) {} Task<> on_close() { co_return; } }; auto rule = url<H>(\"/\");",
    "struct H final : websocket::WebSocketHandler { void on_message(const websocket::Message&) noexcept {} void post(int) {} };"
    " auto rule = url<H>(\"/\");",
    "struct H : websocket::WebSocketHandler { Task<> on_message(websocket::Message) { co_return; } }; auto rule = url<H>(\"/\");",
    "struct H : websocket::WebSocketHandler { Task<> on_message(websocket::MessageStream) { co_return; } }; auto rule = url<H>(\"/\");",
    'auto rule = url("/", [](web::RequestHandler& handler) { handler.write("x"); });',
    'auto rule = url<http::Method::get>("/", [n = 1](web::RequestHandler&, int, std::optional<std::string>) -> Task<> { (void)n; co_return; });',
    'auto rule = url("/", +[](web::RequestHandler&) noexcept {});',
    'web::Application app({url<Handler>("/")});',
    'web::Application app{{url<Handler>("/")}};',
    'web::Application app({url<Handler>("/"), url<Handler>("/x")}, {.max_arguments = 3});',
    'Handler().set_header("Name", 1u); Handler().set_header("Name", std::string()); Handler().add_header("Name", "x");',
    'Handler().set_header("Name", std::chrono::system_clock::now());',
    "struct H : web::RequestHandler { struct Options {}; void get(int, std::optional<std::string>) {}"
    " void initialize(int, int = 1) {} }; auto rule = url<H>(\"/\", 7);",
    "struct H : web::RequestHandler { enum : bool { stream_request_body = true }; void get(bool, double) {}"
    " Task<> data_received(std::string_view) { co_return; } }; auto rule = url<H>(\"/\");",
    "struct H : web::RequestHandler { Task<> prepare() { co_return; } }; auto rule = url<H>(\"/\");",
    "struct H : web::RequestHandler { void get() {} Task<> initialize(int&) { co_return; } Task<> on_finish() { co_return; }"
    " Task<std::optional<int>> get_current_user() { co_return 1; } }; int n; auto rule = url<H>(\"/\", std::ref(n));",
    "struct H : web::RequestHandler { void lock() {} using extra_methods ="
    " web::ExtraMethods<web::ExtraMethod<\"LOCK\", &H::lock>>; }; auto rule = url<H>(\"/\");",
]
# Handlers of a program's own file: GCC warned of coroutines of the headers that named their types.
UNNAMED = """
namespace {
struct User {};
struct H : web::RequestHandler {
  static constexpr bool authenticated = true;
  Task<std::optional<User>> get_current_user() { co_return std::nullopt; }
  Task<std::string> get_login_url() { co_return "/"; }
  void initialize(User) {}
  Task<> prepare() { co_return; }
  Task<> get(std::string) { co_return; }
  void post() {}
  Task<> on_finish() { co_return; }
};
struct S : websocket::WebSocketHandler {
  Task<std::optional<User>> get_current_user() { co_return std::nullopt; }
  Task<> open() { co_return; }
  Task<> on_message(std::string_view) { co_return; }
  Task<> on_close() { co_return; }
};
}
web::Application app({url<H>("/", User()), url<S>("/socket")});
"""


def source_of_refused():
    """One program with every mistake, each in its own scope, and the expected messages."""
    parts = [HEAD]
    messages = []
    for number, (body, message) in enumerate(HANDLERS):
        parts.append(f'namespace n{number} {{ struct H : web::RequestHandler {{ {body} }}; auto rule = url<H>("/"); }}')
        messages.append(message)
    for number, (body, message) in enumerate(SOCKETS):
        parts.append(f'namespace s{number} {{ struct H : websocket::WebSocketHandler {{ {body} }}; auto rule = url<H>("/"); }}')
        messages.append(message)
    for number, (statement, message) in enumerate(STATEMENTS):
        parts.append(f"void f{number}() {{ {statement} }}")
        messages.append(message)
    return "\n".join(parts) + "\n", messages


def source_of_taken():
    return "\n".join([HEAD, *(f"void f{number}() {{ {statement} }}" for number, statement in enumerate(TAKEN))]) + "\n"


def errors_of(command, source, kind="error:"):
    limit = "-ferror-limit=0" if any("clang" in word for word in command) else "-fmax-errors=0"
    command = command + ["-fsyntax-only", limit, "-x", "c++", "-"]
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return [line for line in run.stderr.splitlines() if kind in line]


def is_new_enough(compiler):
    """Squall needs GCC 12 or clang 16."""
    run = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True, check=False)
    return int(run.stdout.split(".")[0] or 0) >= (16 if "clang" in compiler else 12)


def unexpected(errors, messages):
    """Problems, unless each message belongs to exactly one error, and no error is left."""
    left = list(errors)
    for message in messages:
        found = next((error for error in left if message in error), None)
        if found is None:
            yield f"no error says: {message}"
        else:
            left.remove(found)
    yield from (f"one error too many: {error}" for error in left)


def main():
    root, command = sys.argv[1], sys.argv[2:]
    arguments = ["-std=c++20", "-I", os.path.join(root, "include")]
    commands = [command]
    for family, other in (("g++", "g++"), ("clang", "clang++-19"), ("clang", "clang++")):
        known = any(pathlib.Path(word).name.startswith(family) for words in commands for word in words)
        if shutil.which(other) and not known and is_new_enough(other):
            commands.append([other])
    tap = Tap()
    source, messages = source_of_refused()
    for compiler in commands:
        name = pathlib.Path(compiler[-1]).name
        errors = errors_of(compiler + arguments, source)
        tap.check(f"{name}: each mistake leads to one error, which names the correct form", list(unexpected(errors, messages)))
        tap.check(f"{name}: correct handlers compile", errors_of(compiler + arguments, source_of_taken()))
        tap.check(f"{name}: handlers in an unnamed namespace compile without a warning",
                  errors_of([*compiler, *arguments, "-Wall", "-Wextra"], HEAD + UNNAMED, "warning:"))
    tap.end()


main()
