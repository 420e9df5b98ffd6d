#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/message/headers.h>

#include <memory>
#include <string>
#include <string_view>

namespace squall::testing {

// A response that a test reads while the server sends it: a stream of events, or a body in pieces. Each
// function that waits runs the client's loop.
//
//     testing::StreamedResponse events = client.stream("/events");
//     CHECK(events.status() == 200);
//     CHECK(events.read_until("\n\n") == "data: first\n\n");
//     events.close();
//
// Thread:    the loop's thread, while the loop does not run.
// Lifetime:  borrows the client. Destroying the response closes it.
// Errors:    TimeoutError, which names the request, for a wait of more than Patience::limit(); the
//            exceptions of AsyncHTTPClient::fetch(), once the bytes before are read.
class StreamedResponse {
 public:
  // Begins the request, which has no streaming_callback and no header_callback.
  StreamedResponse(http::AsyncHTTPClient& client, http::HTTPRequest request);
  StreamedResponse(StreamedResponse&&) noexcept;
  ~StreamedResponse();

  // Wait for the head of the response.
  int status();
  const http::Headers& headers();
  // The bytes of the body that have arrived; waits for the first one. Empty at the end of the body.
  std::string read();
  // The bytes up to and including `delimiter`, which is not empty; the rest of the body if there is no
  // delimiter in it.
  std::string read_until(std::string_view delimiter);
  // The rest of the body.
  std::string read_to_end();
  // Closes the connection, as a client that goes away; does nothing if the response is complete. No other
  // function may be called then.
  void close() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace squall::testing
