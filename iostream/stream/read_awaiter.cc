#include <squall/iostream/stream/read_awaiter.h>

#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/regex.h>
#include <squall/iostream/stream/stream_reader.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace squall {
namespace {

// A read by a regular expression fails once its searches have looked at so many bytes: some 50 ms, and then
// 4 us for each byte that has come. A peer that sends byte by byte could otherwise make them quadratic.
constexpr std::uint64_t kFreeLooks = 64 * 1024 * 1024;
constexpr std::uint64_t kLooksPerByte = 4096;

// Line ends are written as in source code.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') {
      result += "\\r";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

[[gnu::hot]] bool ReadAwaiter::await_ready() { return reader_->try_read(*this); }

[[gnu::hot]] void ReadAwaiter::await_suspend(std::coroutine_handle<> reader) {
  resume_.set(reader);
  reader_->begin_wait(*this);
}

void ReadAwaiter::call_when_over(LoopHook::Function function, void* context) {
  resume_.set(function, context);
  reader_->begin_wait(*this);
}

void ReadAwaiter::withdraw() noexcept {
  if (reader_) reader_->leave(*this);
}

void ReadAwaiter::take_outcome_slowly() {
  if (!reader_) throw StreamClosedError();
  if (waiting_) reader_->leave(*this);
  if (outcome_ == Outcome::bytes) return;
  const std::error_code& error = reader_->link().error();
  if (error == StreamErrc::read_buffer_full) throw StreamBufferFullError("Reached maximum read buffer size");
  if (error == StreamErrc::unsatisfiable_read || error == StreamErrc::match_limit)
    throw UnsatisfiableReadError(error);
  throw StreamClosedError(error);
}

// Searches one byte more than the match may have. So the result does not depend on how the network cut the
// bytes.
ReadAwaiter::Search ReadAwaiter::search_regex(std::string_view bytes, Ended ended) {
  const bool is_too_many = bytes.size() > amount_;
  if (is_too_many) bytes = bytes.substr(0, amount_ + 1);
  const bool is_last = is_too_many || ended == Ended::yes;
  if (const auto required = regex_.regex->required_byte(); required && !is_last) {
    regex_.seen = std::min(bytes.find(*required, std::max(regex_.seen, scanned_)), bytes.size());
    if (regex_.seen == bytes.size()) return Search::more;
  }
  regex_.looks += bytes.size() - scanned_;
  if (regex_.looks > kFreeLooks + kLooksPerByte * bytes.size()) return Search::too_complex;
  const Regex::Found found = regex_.regex->search(bytes, scanned_, is_last);
  if (found.outcome == Regex::Outcome::too_complex) return Search::too_complex;
  const bool is_match = found.outcome == Regex::Outcome::match;
  if (is_match && found.position <= amount_) {
    succeed(found.position);
    return Search::found;
  }
  if (is_match || is_too_many) return Search::too_long;
  if (found.outcome == Regex::Outcome::more) scanned_ = found.position;
  return Search::more;
}

[[gnu::cold]] std::string ReadAwaiter::describe(Search search, std::size_t searched) const {
  if (search == Search::too_complex) return fmt::format("too many steps for {} bytes", searched);
  if (kind_ == Kind::until_regex) return fmt::format("no match within {} bytes", amount_);
  return fmt::format("delimiter \"{}\" not found within {} bytes", escaped(delimiter_), amount_);
}

std::size_t ReadIntoAwaiter::await_resume() {
  take_outcome();
  reader_->watch_on();
  return std::exchange(filled_, 0);
}

// The read was dropped, or failed: its bytes go to the next read.
ReadIntoAwaiter::~ReadIntoAwaiter() {
  if (filled_ > 0 && reader_) reader_->put_back({space_.data(), filled_});
}

}  // namespace squall
