#include <squall/redis/command.h>

#include <fmt/format.h>

namespace squall::redis {

Command Command::of(const std::vector<std::string>& words) {
  Command command;
  for (const std::string& word : words) command.append(word);
  return command;
}

Command& Command::append(std::string_view word) {
  body_ += fmt::format("${}\r\n", word.size());
  if (size_++ == 0) {
    name_begin_ = body_.size();
    name_size_ = word.size();
  }
  body_.append(word).append("\r\n");
  return *this;
}

std::string Command::bytes() const {
  std::string bytes = fmt::format("*{}\r\n", size_);
  bytes += body_;
  return bytes;
}

}  // namespace squall::redis
