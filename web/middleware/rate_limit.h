#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/address/address.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::web {

class RequestHandler;

struct RateLimitOptions {
  // A client may send this many requests in each period, on average.
  int requests = 60;
  std::chrono::milliseconds period{60'000};
  // The most requests at once of a client that was silent before; std::nullopt: as `requests`.
  std::optional<int> burst{};
  // The clients whose requests are counted; of more, those that were silent for the longest time are
  // forgotten. A client takes about 150 bytes.
  std::size_t max_clients = 10'000;
  // The bits of an IPv6 address that name a client: a subscriber has all addresses of a /64 or more.
  int ipv6_prefix = 64;
};

// A middleware that limits the requests of each client, by its address: a token bucket. A request beyond the
// limit is answered with a 429 and Retry-After (RFC 6585, 4; RFC 9110, 10.2.3). All responses have RateLimit
// and RateLimit-Policy fields (draft-ietf-httpapi-ratelimit-headers-10).
//
// Security:  behind a proxy, set http::HTTPServer::Options::xheaders and the trusted proxies: otherwise all
//            clients have the proxy's address, or choose one. Clients share an address behind NAT, and an
//            attacker may have many: this slows password guessing and runaway programs down, and does not
//            stop a distributed attack. A client without an IP address (a Unix socket) is not limited. Each
//            process and each loop counts for itself.
class RateLimit {
 public:
  using Options = RateLimitOptions;
  // Throws std::invalid_argument for a number that is not positive, and a prefix beyond 128.
  explicit RateLimit(Options options);

  void before(RequestHandler& handler);
  void before_head(RequestHandler& handler);

  // The clients that are known, at most max_clients.
  std::size_t clients() const noexcept { return by_address_.size(); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  using Key = std::array<char, 16>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string_view>()({key.data(), key.size()});
    }
  };
  struct Bucket {
    Key key;
    TimePoint full_at;  // when the bucket has all its tokens again
  };
  using Buckets = std::list<Bucket>;

  Key key_of(const Address& address) const noexcept;
  bool is_first(const Key& key) const noexcept;
  Bucket& bucket_of(const Key& key);
  Bucket* find(const Address& address) noexcept;
  TimePoint full_at(const Bucket& bucket, TimePoint now) const noexcept;
  Duration capacity() const noexcept { return interval_ * burst_; }

  Options options_;
  int burst_;
  Duration interval_;   // in which a bucket gets one token
  std::string policy_;  // the value of RateLimit-Policy
  Buckets buckets_;     // the client that was heard last is first
  std::unordered_map<Key, Buckets::iterator, Hash> by_address_;
};

}  // namespace squall::web
