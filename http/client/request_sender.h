#pragma once

#include <squall/http/client/fetch.h>
#include <squall/http/client/via.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::http {

// Sends the request of a fetch over a connection: the head and a small body at once, a large body with
// back-pressure.
//
// state     | waits for                       | ended by                      | next
// sent      | begin()                         |                               | sent, waiting, sending
// waiting   | 100 Continue                    | send_body(), or one second    | sending
// sending   | the kernel and the producer     | the end of the body           | sent
//           |                                 | an error on an open stream    | failed
//           |                                 | an error on a closed stream   | cut_off
// failed, cut_off: begin() of the next request
//
// An error closes the stream, so that the reader of the response notices it.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the fetch and the stream from begin() until stop().
class RequestSender final : private detail::TaskOwner {
 public:
  RequestSender() noexcept = default;
  ~RequestSender() { stop(); }
  RequestSender(const RequestSender&) = delete;
  RequestSender& operator=(const RequestSender&) = delete;

  struct Options {
    Via via = Via::direct;
    std::string_view proxy_authorization{};
    // Whether the client wants to keep the connection.
    bool keep_alive = true;
  };
  void begin(Fetch& fetch, IOStream& stream, const Options& options);
  // The server wants the body: begins to send the body, if that has not begun.
  void send_body();
  // Throws the exception of a failed body. An exception that only says that the stream has closed is
  // dropped: the reader of the response reports it.
  void check();
  // Drops the rest of the body.
  void stop() noexcept;

  bool is_sent() const noexcept { return state_ == State::sent; }
  // False if the request has `Connection: close`.
  bool keeps_alive() const noexcept { return keeps_alive_; }

 private:
  enum class State : std::uint8_t { sent, waiting, sending, failed, cut_off };

  std::coroutine_handle<> task_ended(std::size_t number) noexcept override;
  void send_head(const Options& options);
  void begin_body();
  Task<> write_body();

  State state_ = State::sent;
  bool keeps_alive_ = true;
  Fetch* fetch_ = nullptr;
  IOStream* stream_ = nullptr;
  Task<> upload_;
  Timeout patience_;  // set in State::waiting
};

}  // namespace squall::http
