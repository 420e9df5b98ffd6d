// bench/streams/epoll_server.cc -- the lower bound: a server that does little more than its system calls.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "line_counter.h"
#include "options.h"

namespace {

using bench::Mode;

struct Connection {
  int fd;
  std::string unsent;  // bytes that the kernel did not accept; while there are any, nothing is read
  bench::LineSplitter splitter;
  bench::LineCounter lines;
};

class Server {
 public:
  Server(int listener, Mode mode) : listener_(listener), mode_(mode), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (!connection) {
          accept_all();
        } else if (!connection->unsent.empty()) {
          go_on_sending(*connection);
        } else {
          receive(*connection);
        }
      }
    }
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (mode_ == Mode::accept) {
        ::close(fd);
        continue;
      }
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = std::make_unique<Connection>(Connection{fd, {}, {}, {}}).release();
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }

  void receive(Connection& connection) {
    const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return drop(connection);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (mode_ == Mode::echo) {
      send(connection, bytes);
    } else if (mode_ == Mode::lines) {
      connection.splitter.receive(bytes, connection.lines);
      if (const std::size_t answers = connection.lines.take_answers())
        send(connection, std::string(answers, '.'));
    }
  }

  // Keeps the bytes that the kernel does not accept now, and stops reading from their sender.
  void send(Connection& connection, std::string_view bytes) {
    ssize_t sent = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return drop(connection);
    if (sent < 0) sent = 0;
    if (static_cast<std::size_t>(sent) == bytes.size()) return;
    connection.unsent = bytes.substr(static_cast<std::size_t>(sent));
    watch(connection, EPOLLOUT);
  }

  void go_on_sending(Connection& connection) {
    const ssize_t sent =
        ::send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return drop(connection);
    connection.unsent.erase(0, static_cast<std::size_t>(sent));
    if (connection.unsent.empty()) watch(connection, EPOLLIN);
  }

  void watch(Connection& connection, unsigned events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }

  void drop(Connection& connection) {
    ::close(connection.fd);
    const std::unique_ptr<Connection> dropped(&connection);
  }

  const int listener_;
  const Mode mode_;
  const int epoll_;
  std::array<char, bench::kBufferSize> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, "epoll_server");
  const auto server =
      std::make_unique<Server>(bench::listening_socket(options, "epoll_server"), options.mode);
  server->run();
}
