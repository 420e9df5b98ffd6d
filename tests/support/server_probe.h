#pragma once

#include <squall/http.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/obvious_reader.h"

namespace squall::testing {

// The reaction of a server to a client's bytes.
struct Seen {
  std::vector<ObviousRequest> requests;
  std::vector<int> statuses;  // of the final responses, in order
  std::string answer;         // all bytes of the server
  bool closed = false;        // the server has closed the connection
};

// A server that records its requests, and answers each with 200. Its clients use socket pairs.
class ServerProbe {
 public:
  using Body = http::ServerDelegate::Body;
  // Silences the access log until the probe is destroyed.
  explicit ServerProbe(Body body, http::HTTPServer::Options options = http::HTTPServer::Options());
  ~ServerProbe();

  // Sends `bytes` in pieces that end at `cuts`, each after the previous one was read, and then the end of the
  // stream.
  Seen talk(std::string_view bytes, std::span<const std::size_t> cuts = {});

  IOLoop loop;

 private:
  class Delegate : public http::ServerDelegate {
   public:
    explicit Delegate(Body body) : body_(body) {}
    Body head_received(http::Exchange&) override { return body_; }
    void handle_request(http::Exchange& exchange, Task<>& pending) override;
    std::vector<ObviousRequest> requests;

   private:
    static Task<> read_and_note(Delegate& delegate, http::Exchange& exchange);
    void note(http::Exchange& exchange, std::string body);
    Body body_;
  };

  Delegate delegate_;
  http::HTTPServer server_;
};

// The error of the server; empty if it is right. The server must see all requests of the reader, or the
// first of them and then refuse the next one.
std::string disagreement(const ObviousReading& obvious, const Seen& seen);

}  // namespace squall::testing
