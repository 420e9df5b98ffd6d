#pragma once

#include <squall/http/client/client_connection.h>
#include <squall/http/client/client_core.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/fetch_guard.h>
#include <squall/http/client/fetch_route.h>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <utility>

namespace squall::http {

// One attempt to send the next request of a fetch and to receive the response, over one connection. An
// awaiter: `const FetchAttempt::Outcome outcome = co_await attempt;`
//
// phase of the fetch   | waits for                 | deadline                   | next
// queue                | a slot                    | Fetch::queue_deadline()    | request, or resolve
// resolve, connect,    | the Dialer, unless there  | Fetch::connect_deadline()  | request
//   proxy, tls         | is a kept connection      |                            |
// request, head, body  | the server                | Fetch::request_deadline()  | the end of the attempt
//
// Outcome    | means                                                        | next
// response   | the response is in the fetch                                 | redirect, or the caller
// upgraded   | a 101 response is in the fetch; the caller has its stream    | the caller
// stale      | the server closed the kept connection, and Fetch::may_retry()| a retry with take_slot()
// timed_out  | a deadline passed in the phase of the fetch                  | HTTPTimeoutError
// closed     | the client closed; the ClientCore may be destroyed           | HTTPClientClosedError
//
// Thread:    the loop's thread only.
// Lifetime:  borrows its arguments; the ClientCore until the attempt is closed. Destroying it cancels the
//            attempt, and gives up slot and connection.
// Errors:    HTTPClientError; the exceptions of the request's callbacks unchanged.
class FetchAttempt {
 public:
  enum class Outcome : std::uint8_t { response, upgraded, stale, timed_out, closed };

  // With an empty slot the attempt waits for a slot, and may use a kept connection. With a slot, for a
  // retry, it makes a new connection.
  FetchAttempt(ClientCore& core, Fetch& fetch, const FetchRoute& route, ClientHost& host,
               AdmissionQueue::Slot slot) noexcept
      : core_(core), fetch_(fetch), route_(route), host_(host), slot_(std::move(slot)), guard_(core.guards) {}
  FetchAttempt(const FetchAttempt&) = delete;
  FetchAttempt& operator=(const FetchAttempt&) = delete;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    return guard_.begin(run(), caller);
  }
  Outcome await_resume();

  // After Outcome::stale: the slot, for another attempt. Take it before the next co_await.
  AdmissionQueue::Slot take_slot() noexcept { return std::move(slot_); }

 private:
  Task<> run();
  std::unique_ptr<ClientConnection> take_idle();
  void prepare_to_wait();
  Task<std::unique_ptr<ClientConnection>> connect();
  Task<std::unique_ptr<ClientConnection>> dial();
  Task<std::unique_ptr<ClientConnection>> call_connector();
  void end(ClientConnection::Next next, std::unique_ptr<ClientConnection> connection);

  ClientCore& core_;
  Fetch& fetch_;
  const FetchRoute& route_;
  ClientHost& host_;
  AdmissionQueue::Slot slot_;
  Outcome outcome_ = Outcome::response;
  FetchGuard guard_;
};

}  // namespace squall::http
