#!/usr/bin/env python3
"""A coroutine given as a callback is a readable error (IOL-44): `callback_errors_test.py ROOT COMPILER [ARGUMENT...]`."""

import os
import subprocess
import sys

from tap import Tap

HEAD = """
#include <squall/http/client/http_request.h>
#include <squall/ioloop.h>
#include <squall/iostream/process/subprocess.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tcp/accept_handler.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/iostream/tls/tls_options.h>
#include <squall/web/app/application.h>
using namespace squall;
using namespace std::chrono_literals;
Task<> work();
Task<int> number();
AsyncGenerator<int> numbers();
"""

# A statement of a function that has a loop `loop`.
REFUSED = [
    "loop.add_callback([] { return work(); });",
    "loop.add_callback(work);",
    "loop.add_callback([] { return number(); });",
    "loop.add_callback([] { return numbers(); });",
    "loop.add_callback([] { return sleep(1s); });",
    "loop.handle().add_callback([] { return work(); });",
    "loop.call_soon([] { return work(); });",
    "loop.call_later(1s, [] { return work(); });",
    "loop.call_at(loop.time(), [] { return work(); });",
    "loop.add_callback_from_signal([] { return work(); });",
    "loop.add_signal_handler(1, [] { return work(); });",
    "loop.add_handler(0, Events::read, [](int, Events) { return work(); });",
    "Future<int> future = Promise<int>().get_future(); std::move(future).on_done([](Future<int>) { return work(); });",
    "auto wait = from_callback<int>([](Completion<int>) { return work(); });",
    "TaskGroup group([](std::exception_ptr, std::source_location) { return work(); });",
    "ThreadPool().submit([] { return work(); });",
    "auto result = run_in_executor([] { return work(); });",
    "run_loops(1, [](IOLoop&, int) { return work(); });",
    "log::set_handler([](const log::Record&) { return work(); });",
    "ChildWatcher(1).set_exit_callback([](int) { return work(); });",
    "void set(IOStream& stream); extern IOStream stream; stream.set_close_callback([] { return work(); });",
    "web::Settings settings{.log_function = [](web::RequestHandler&, int) { return work(); }};",
    'http::HTTPRequest request("http://a/"); request.header_callback = [](std::string_view) { return work(); };',
    "auto accepting = add_accept_handler(OwnedFd(), [](OwnedFd, const Address&) { return work(); });",
    "TLSClientOptions options; options.customize = [](ssl_ctx_st*) { return work(); };",
    'http::HTTPRequest request("http://a/"); request.prepare_curl_callback = [](void*) { return work(); };',
]
MESSAGE = "by IOLoop::spawn()"
TAKEN = [
    "extern IOStream stream; loop.add_callback([] { return stream.write(\"x\"); });",
    "extern TCPServer& server; loop.call_later(1s, [] { return server.close_all_connections(); });",
    "loop.add_callback([] { return 1; });",
    "loop.add_callback([] { return Promise<int>().get_future(); });",
    "loop.add_callback([&loop] { loop.spawn(work()); });",
    "loop.add_callback([task = work()] {});",
    "loop.add_callback(std::function<void()>());",
    "PeriodicCallback beat(1s, work);",
    "PeriodicCallback beat(1s, [] { return work(); });",
    "log::set_handler({});",
    "log::set_handler(nullptr);",
    "std::function<void(int)> exited; ChildWatcher(1).set_exit_callback(exited); ChildWatcher(1).set_exit_callback({});",
    "TaskGroup group([](std::exception_ptr, std::source_location) { return 1; });",
    'http::HTTPRequest request("http://a/"); request.streaming_callback = [](std::string_view) { return work(); };',
]


def functions(statements):
    """The source, and the number of the line of the first statement."""
    lines = [
        f"void f{number}([[maybe_unused]] IOLoop& loop) {{ {statement} }}" for number, statement in enumerate(statements)
    ]
    return HEAD + "\n".join(lines) + "\n", HEAD.count("\n") + 1


def output_of(command, source):
    limit = "-ferror-limit=0" if any("clang" in word for word in command) else "-fmax-errors=0"
    command = command + ["-fsyntax-only", "-w", limit, "-x", "c++", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False).stderr


def main():
    root, command = sys.argv[1], sys.argv[2:]
    command += ["-std=c++20", "-I", os.path.join(root, "include")]
    tap = Tap()
    source, first = functions(REFUSED)
    output = output_of(command, source)
    errors = [line for line in output.splitlines() if "error:" in line]
    tap.check("each error names spawn()", [error for error in errors if MESSAGE not in error])
    tap.check("each statement has its error", [] if len(errors) == len(REFUSED) else [f"{len(errors)} errors"])
    for number, statement in enumerate(REFUSED):
        tap.check(f"`{statement}` is refused", [] if f"<stdin>:{first + number}:" in output else ["it was taken"])
    source, _ = functions(TAKEN)
    tap.check("callbacks that are no coroutines are taken", output_of(command, source).splitlines())
    tap.end()


main()
