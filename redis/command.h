#pragma once

#include <squall/redis/word.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::redis {

// A command with its arguments, in the form in which it is sent: words are bytes and may have any content.
//
//     Command command("XADD", key, "MAXLEN", 1000, "*");
//     for (const auto& [name, value] : fields) command.add(name).add(value);
//
// Thread:    any, one at a time.
class Command {
 public:
  template <class... Words>
  explicit Command(std::string_view name, const Words&... words) {
    add(name);
    (add(words), ...);
  }
  static Command of(const std::vector<std::string>& words);

  // A string, an integer or a floating-point number.
  template <class T>
  Command& add(const T& word) {
    return append(Word(word).text());
  }

  // The first word; empty if there is none.
  std::string_view name() const noexcept { return std::string_view(body_).substr(name_begin_, name_size_); }
  std::size_t size() const noexcept { return size_; }
  // The bytes to send.
  std::string bytes() const;

 private:
  Command() = default;
  Command& append(std::string_view word);

  std::string body_;
  std::size_t size_ = 0;  // words
  std::size_t name_begin_ = 0;
  std::size_t name_size_ = 0;
};

}  // namespace squall::redis
