#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/free_list.h>

#include <cstddef>
#include <memory>
#include <utility>

namespace squall::http {

// Unused exchanges, whose memory the next requests reuse.
//
// Thread:    one.
class ExchangePool {
 public:
  [[gnu::hot]] std::unique_ptr<Exchange> take() {
    if (spare_.size() == 0) [[unlikely]]
      return std::make_unique<Exchange>();
    return spare_.take();
  }
  [[gnu::hot]] void give_back(std::unique_ptr<Exchange> exchange) noexcept {
    spare_.give_back(std::move(exchange));
  }

 private:
  // More exchanges are needed only while many requests wait at the same time.
  static constexpr std::size_t kKept = 64;

  FreeList<Exchange, kKept> spare_;
};

}  // namespace squall::http
