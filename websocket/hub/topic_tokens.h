#pragma once

#include <cstddef>
#include <string_view>

namespace squall::websocket {

// The tokens of a topic or a pattern, from left to right. A text without a dot is one token.
class TopicTokens {
 public:
  explicit TopicTokens(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return at_end_; }
  // Undefined at the end.
  std::string_view next() noexcept {
    const std::size_t dot = rest_.find('.');
    const std::string_view token = rest_.substr(0, dot);
    at_end_ = dot == std::string_view::npos;
    if (!at_end_) rest_.remove_prefix(dot + 1);
    return token;
  }

 private:
  std::string_view rest_;
  bool at_end_ = false;
};

}  // namespace squall::websocket
