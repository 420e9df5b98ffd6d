#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "options.h"

namespace bench {

// Counts lines, each of which somebody has looked at as a whole.
class LineCounter {
 public:
  void add(std::string_view line) {
    bytes_ += line.size();
    ++lines_;
  }
  // How many answers are due for the lines added since this was asked last.
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

// Cuts what is received into lines, for libraries that have no such thing.
class LineSplitter {
 public:
  // Adds the whole lines there are now to `counter`.
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
