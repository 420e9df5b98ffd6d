// A server that reaches the calls that differ between systems: sockets, files, children, threads, signals.
// GET /stop ends it. `system_calls_program FOLDER`: see system_calls_test.py.
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/web.h>

#include <signal.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

using namespace squall;

namespace {

class Greeting : public web::RequestHandler {
 public:
  void get() { write("hello\n"); }
};

class Child : public web::RequestHandler {
 public:
  Task<> get() {
    Subprocess::Options options;
    options.std_out = Subprocess::kStream;
    Subprocess cat({"cat", "/dev/stdin"}, options);
    cat.send_signal(SIGTERM);
    co_await cat.wait_for_exit(std::nothrow);
    Subprocess echo({"echo", "from the child"}, options);
    const std::string line = co_await echo.std_out().read_until("\n");
    co_await echo.wait_for_exit();
    write(line);
  }
};

class Thread : public web::RequestHandler {
 public:
  Task<> get() {
    const int number = co_await run_in_executor([] { return 42; });
    write(std::to_string(number));
  }
};

struct Ends {
  Ends() {
    if (!new_socket_pair(one, other)) throw_errno("socketpair");
  }
  OwnedFd one;
  OwnedFd other;
};

// Two connections, for a pump between them.
struct Line {
  Line() : Line(Ends(), Ends()) {}
  Line(Ends in, Ends out)
      : client(std::move(in.one)),
        near(std::move(in.other)),
        far(std::move(out.one)),
        server(std::move(out.other)) {}
  IOStream client;
  IOStream near;
  IOStream far;
  IOStream server;
};

Task<> send(IOStream& stream, std::string bytes) {
  co_await stream.write(bytes);
  stream.close();
}
Task<> forward(IOStream& from, IOStream& to) {
  co_await pump(from, to);
  to.close();
}
Task<> count(IOStream& stream, std::size_t& bytes) {
  for (;;) {
    const std::string_view piece = co_await stream.read_some();
    if (piece.empty()) co_return;
    bytes += piece.size();
  }
}

class Pumped : public web::RequestHandler {
 public:
  Task<> get() {
    Line line;
    Task<> sending = send(line.client, std::string(1'000'000, 'x'));
    Task<> forwarding = forward(line.near, line.far);
    Task<> counting = count(line.server, bytes_);
    co_await multi(std::move(sending), std::move(forwarding), std::move(counting));
    write(std::to_string(bytes_));
  }

 private:
  std::size_t bytes_ = 0;
};

class Stop : public web::RequestHandler {
 public:
  void get() { IOLoop::current().stop(); }
};

}  // namespace

int main(int, char** arguments) {
  log::enable_pretty_logging();
  IOLoop loop;
  loop.add_signal_handler(SIGINT, [&] { loop.stop(); });
  web::Application app({web::url<Greeting>("/"), web::url<Child>("/child"), web::url<Thread>("/thread"),
                        web::url<Pumped>("/pump"), web::url<Stop>("/stop"),
                        web::url<web::StaticFileHandler>("/files/(.*)", arguments[1])});
  ListenOptions options;
  options.address = "127.0.0.1";
  log::general().info("Serving on port {}", app.listen(0, options).port());
  loop.start();
  return 0;
}
