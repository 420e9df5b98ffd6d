#include <squall/web/middleware/rate_limit.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

constexpr int kTooManyRequests = 429;

// In whole seconds, at least `least`.
std::int64_t seconds_until(std::chrono::steady_clock::duration time, std::int64_t least) noexcept {
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(time).count(), least);
}

void check_options(const RateLimitOptions& options) {
  if (options.requests <= 0 || options.period.count() <= 0 || options.burst.value_or(1) <= 0 ||
      options.max_clients == 0)
    throw std::invalid_argument("RateLimit: requests, period, burst and max_clients must be positive");
  if (options.ipv6_prefix <= 0 || options.ipv6_prefix > 128)
    throw std::invalid_argument("RateLimit: ipv6_prefix must be between 1 and 128");
}

}  // namespace

RateLimit::RateLimit(Options options)
    : options_(std::move(options)), burst_(options_.burst.value_or(options_.requests)) {
  check_options(options_);
  interval_ = std::max<Duration>(Duration(options_.period) / options_.requests, Duration(1));
  policy_ = fmt::format("\"default\";q={};w={}", options_.requests, seconds_until(options_.period, 1));
}

// The bytes of the address as IPv6, without those behind the prefix.
RateLimit::Key RateLimit::key_of(const Address& address) const noexcept {
  const Address plain = address.unmapped();
  const std::string_view bytes = plain.ip_bytes();
  Key key{};
  if (bytes.size() == 4) {
    key[10] = key[11] = '\xff';
    bytes.copy(key.data() + 12, 4);
    return key;
  }
  const auto prefix = static_cast<std::size_t>(options_.ipv6_prefix);
  bytes.copy(key.data(), std::min(bytes.size(), (prefix + 7) / 8));
  if (prefix % 8 != 0) key[prefix / 8] = static_cast<char>(key[prefix / 8] & (0xff << (8 - prefix % 8)));
  return key;
}

// The client's bucket, at first a full one. Of too many clients the one that was silent longest is forgotten;
// its memory is used again.
RateLimit::Bucket& RateLimit::bucket_of(const Key& key) {
  if (is_first(key)) return buckets_.front();
  const auto known = by_address_.find(key);
  if (known != by_address_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
    return buckets_.front();
  }
  if (by_address_.size() < options_.max_clients) {
    const auto added = by_address_.emplace(key, buckets_.end()).first;
    try {
      buckets_.push_front({key, {}});
    } catch (...) {
      by_address_.erase(added);
      throw;
    }
    added->second = buckets_.begin();
    return buckets_.front();
  }
  auto node = by_address_.extract(buckets_.back().key);
  buckets_.splice(buckets_.begin(), buckets_, std::prev(buckets_.end()));
  buckets_.front() = {key, {}};
  node.key() = key;
  by_address_.insert(std::move(node));
  return buckets_.front();
}

// The client that was heard last needs no hash of its key. A response that does not wait is that client's.
bool RateLimit::is_first(const Key& key) const noexcept {
  return !buckets_.empty() && buckets_.front().key == key;
}

RateLimit::Bucket* RateLimit::find(const Address& address) noexcept {
  const Key key = key_of(address);
  if (is_first(key)) return &buckets_.front();
  const auto known = by_address_.find(key);
  return known == by_address_.end() ? nullptr : &*known->second;
}

RateLimit::TimePoint RateLimit::full_at(const Bucket& bucket, TimePoint now) const noexcept {
  return std::max(bucket.full_at, now);
}

void RateLimit::before(RequestHandler& handler) {
  const Address& address = handler.request().remote_address();
  if (!address.is_ip()) return;
  const TimePoint now = IOLoop::current().time();
  Bucket& bucket = bucket_of(key_of(address));
  const TimePoint full = full_at(bucket, now) + interval_;  // one token less
  if (full - now > capacity()) return handler.send_error(kTooManyRequests);
  bucket.full_at = full;
}

void RateLimit::before_head(RequestHandler& handler) {
  const Address& address = handler.request().remote_address();
  const Bucket* const bucket = address.is_ip() ? find(address) : nullptr;
  if (!bucket) return;
  const TimePoint now = IOLoop::current().time();
  const Duration missing = full_at(*bucket, now) - now;
  const auto left = (capacity() - missing) / interval_;
  char text[80];
  const auto end =
      fmt::format_to_n(text, sizeof text, "\"default\";r={};t={}", left, seconds_until(missing, 0)).out;
  handler.set_header("RateLimit-Policy", policy_);
  handler.set_header("RateLimit", std::string_view(text, static_cast<std::size_t>(end - text)));
  if (handler.status() == kTooManyRequests && left == 0 &&
      !handler.exchange().headers().contains("Retry-After"))
    handler.set_header("Retry-After", seconds_until(missing + interval_ - capacity(), 1));
}

}  // namespace squall::web
