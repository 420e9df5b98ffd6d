// bench/streams/uv_server.cc -- the server with libuv: one buffer for all reads, and uv_try_write() first.
#include <uv.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "line_counter.h"
#include "options.h"

namespace {

using bench::Mode;

Mode mode;
bool is_unix;
std::array<char, bench::kBufferSize> buffer;

struct Connection {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  uv_write_t write;
  std::string unsent;  // bytes that the kernel did not accept; while there are any, nothing is read
  bench::LineSplitter splitter;
  bench::LineCounter lines;

  Connection() {
    if (is_unix) {
      uv_pipe_init(uv_default_loop(), &pipe, 0);
    } else {
      uv_tcp_init(uv_default_loop(), &tcp);
    }
    handle.data = this;
    write.data = this;
  }
};

void drop(Connection& connection) {
  if (uv_is_closing(&connection.handle)) return;
  uv_close(&connection.handle, [](uv_handle_t* handle) {
    const std::unique_ptr<Connection> dropped(static_cast<Connection*>(handle->data));
  });
}

void start_reading(Connection& connection);

// Keeps the bytes that the kernel does not accept now, and stops reading from their sender.
void send(Connection& connection, std::string_view bytes) {
  uv_buf_t piece = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  int sent = uv_try_write(&connection.stream, &piece, 1);
  if (sent < 0 && sent != UV_EAGAIN) return drop(connection);
  if (sent < 0) sent = 0;
  if (static_cast<std::size_t>(sent) == bytes.size()) return;
  connection.unsent = bytes.substr(static_cast<std::size_t>(sent));
  piece = uv_buf_init(connection.unsent.data(), static_cast<unsigned>(connection.unsent.size()));
  uv_read_stop(&connection.stream);
  uv_write(&connection.write, &connection.stream, &piece, 1, [](uv_write_t* write, int status) {
    auto& written = *static_cast<Connection*>(write->data);
    if (status != 0) return drop(written);
    written.unsent.clear();
    start_reading(written);
  });
}

void received(Connection& connection, std::string_view bytes) {
  if (mode == Mode::echo) {
    send(connection, bytes);
  } else if (mode == Mode::lines) {
    connection.splitter.receive(bytes, connection.lines);
    if (const std::size_t answers = connection.lines.take_answers())
      send(connection, std::string(answers, '.'));
  }
}

void start_reading(Connection& connection) {
  uv_read_start(
      &connection.stream,
      [](uv_handle_t*, std::size_t, uv_buf_t* space) { *space = uv_buf_init(buffer.data(), buffer.size()); },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
        auto& reading = *static_cast<Connection*>(stream->data);
        if (count < 0) {
          drop(reading);
        } else {
          received(reading, {buffer.data(), static_cast<std::size_t>(count)});
        }
      });
}

void accepted(uv_stream_t* listener, int status) {
  if (status != 0) return;
  Connection& connection = *std::make_unique<Connection>().release();
  if (uv_accept(listener, &connection.stream) != 0 || mode == Mode::accept) {
    drop(connection);
  } else {
    start_reading(connection);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, "uv_server");
  mode = options.mode;
  std::signal(SIGPIPE, SIG_IGN);  // libuv leaves SIGPIPE to the program
  is_unix = !options.unix_path.empty();
  const int fd = bench::listening_socket(options, "uv_server");
  Connection listener;
  if (is_unix) {
    uv_pipe_open(&listener.pipe, fd);
  } else {
    uv_tcp_open(&listener.tcp, fd);
  }
  uv_listen(&listener.stream, 4096, accepted);
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
