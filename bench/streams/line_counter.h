#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "options.h"

namespace bench {

// Counts lines, and looks at each complete line as a real server would.
class LineCounter {
 public:
  void add(std::string_view line) {
    bytes_ += line.size();
    ++lines_;
  }
  // The number of answers that are due for the lines added since the previous call.
  std::size_t take_answers() {
    const std::size_t due = lines_ / kLinesPerAnswer;
    lines_ %= kLinesPerAnswer;
    return due;
  }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t lines_ = 0;
  std::size_t bytes_ = 0;
};

// Splits received bytes into lines, for libraries that have no read_until().
class LineSplitter {
 public:
  // Adds the complete lines received so far to `counter`.
  void receive(std::string_view bytes, LineCounter& counter) {
    while (!bytes.empty()) {
      const auto* newline = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
      if (!newline) {
        partial_.append(bytes);
        return;
      }
      const auto length = static_cast<std::size_t>(newline - bytes.data()) + 1;
      if (partial_.empty()) {
        counter.add(bytes.substr(0, length));
      } else {
        partial_.append(bytes.substr(0, length));
        counter.add(partial_);
        partial_.clear();
      }
      bytes.remove_prefix(length);
    }
  }

 private:
  std::string partial_;
};

}  // namespace bench
