#pragma once

#include <squall/iostream/tls/openssl.h>

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace squall {

// What a client keeps of its last sessions with each server, to resume them: the servers used last, at most
// so many as it was made for, and of each the last kPerServer sessions.
//
// A session of TLS 1.3 is given out once, as two connections with one ticket could be linked by who watches
// (RFC 8446, C.4).
//
// Thread:    any.
class TLSSessions {
 public:
  static constexpr std::size_t kPerServer = 4;

  explicit TLSSessions(std::size_t servers) noexcept : servers_(servers) {}

  // Does nothing if there is no memory, or `server` is empty.
  void keep(std::string_view server, openssl::Session session) noexcept;
  // The newest that can still be resumed. Null if there is none.
  openssl::Session take(std::string_view server);
  // The server did not do with them.
  void forget(std::string_view server) noexcept;
  void clear() noexcept;
  std::size_t size() const noexcept;

 private:
  struct Server {
    std::deque<openssl::Session> sessions;      // newest last
    std::list<std::string_view>::iterator age;  // its place in ages_
  };

  const std::size_t servers_;
  mutable std::mutex mutex_;
  std::map<std::string, Server, std::less<>> by_server_;
  std::list<std::string_view> ages_;  // keys of by_server_; used last comes last
};

}  // namespace squall
