#pragma once

#include <squall/http.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/obvious_response.h"

namespace squall::testing {

// A client, and a server that answers each request with bytes of the test, in pieces. Compares the results of
// the client's fetches with an obvious reader of the same bytes.
//
// The server ends a connection behind the bytes of an answer, unless the reader says that they are a whole
// response behind which the connection stays open. After the last answer it closes each connection that sends
// a request.
class ClientProbe {
 public:
  // How a request takes the body of its response.
  enum class Take { body, callback, waiting_callback };
  struct Ask {
    std::string_view method = "GET";
    Take take = Take::body;
    bool decompresses = false;
  };

  static constexpr std::size_t kMaxBody = 4096;

  ClientProbe();
  ~ClientProbe();
  ClientProbe(const ClientProbe&) = delete;
  ClientProbe& operator=(const ClientProbe&) = delete;

  // Does one fetch for each `ask`, one after the other. The server gets at most `step` bytes through at a
  // time. Returns the client's error; empty if it is right.
  std::string talk(std::span<const Ask> asks, std::span<const std::string_view> answers, std::size_t step);

 private:
  struct Connection {
    OwnedFd fd;
    std::string received;
    std::string_view answer;
    std::size_t sent = 0;
    bool is_answering = false;
    bool ends = false;  // behind the answer
  };
  struct Result {
    bool is_done = false;
    std::string error;
    ObviousResponse response;
  };

  static Task<> fetch(ClientProbe& probe, Ask ask, Result& result);
  static Task<> take_slowly(std::string& body, std::string_view piece);
  std::string check(const Ask& ask, bool is_reused);
  std::string compare(const Ask& ask, std::string_view bytes, const Result& result) const;
  std::string_view answer_to(const Ask& ask, bool is_reused, std::size_t& next) const;
  void turn();
  void serve(Connection& connection);
  bool is_sending() const;
  void settle();

  std::string folder_;
  IOLoop loop_;
  OwnedFd listening_;
  http::SimpleAsyncHTTPClient client_;
  std::vector<Connection> connections_;
  std::span<const std::string_view> answers_;
  std::size_t next_ = 0;  // the answer to the next request
  std::size_t step_ = 0;
};

}  // namespace squall::testing
