#pragma once

#include <squall/http/server/exchange.h>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace squall::http {

// Unused exchanges, whose memory the next requests reuse.
//
// Thread:    one.
class ExchangePool {
 public:
  [[gnu::hot]] std::unique_ptr<Exchange> take() {
    if (spare_.empty()) [[unlikely]]
      return std::make_unique<Exchange>();
    std::unique_ptr<Exchange> exchange = std::move(spare_.back());
    spare_.pop_back();
    return exchange;
  }
  [[gnu::hot]] void give_back(std::unique_ptr<Exchange> exchange) noexcept {
    if (spare_.size() >= kKept) [[unlikely]]
      return;
    try {
      spare_.push_back(std::move(exchange));
    } catch (const std::bad_alloc&) {
      // The exchange is freed instead.
    }
  }

 private:
  // More exchanges are needed only while many requests wait at the same time.
  static constexpr std::size_t kKept = 64;

  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace squall::http
