#pragma once

#include <squall/iostream/tls/openssl.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace squall {

// A client's sessions, to be resumed: the last kPerServer sessions with each of the servers used last, up
// to a given number of servers.
//
// A session of TLS 1.3 is used only once: an observer could link two connections with one ticket (RFC 8446,
// C.4).
//
// Thread:    any.
class TLSSessions {
 public:
  static constexpr std::size_t kPerServer = 4;

  explicit TLSSessions(std::size_t servers) noexcept : servers_(servers) {}

  // Does nothing if there is no memory, or `server` is empty.
  void keep(std::string_view server, openssl::Session session) noexcept;
  // The newest session that can still be resumed; null without one.
  openssl::Session take(std::string_view server);
  // Drops the sessions of a server with which a handshake has failed.
  void forget(std::string_view server) noexcept;
  std::size_t size() const noexcept;

 private:
  struct Server {
    std::deque<openssl::Session> sessions;      // newest last
    std::list<std::string_view>::iterator age;  // its place in ages_
  };

  const std::size_t servers_;
  mutable std::mutex mutex_;
  std::map<std::string, Server, std::less<>> by_server_;
  std::list<std::string_view> ages_;  // keys of by_server_, the one used last at the end
};

}  // namespace squall
