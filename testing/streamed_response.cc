#include <squall/testing/streamed_response.h>

#include <squall/testing/patience.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace squall::testing {

// The request, and the pieces of its response that have arrived.
struct StreamedResponse::State final : detail::TaskOwner {
  State(http::AsyncHTTPClient& client, http::HTTPRequest request)
      : loop(client.loop()), name(fmt::format("{} {}", request.method, request.url)) {
    request.header_callback = [this](std::string_view line) { take_line(line); };
    request.streaming_callback = [this](std::string_view piece) { bytes += piece; };
    task = client.fetch(std::move(request), http::RaiseError::no);
    task.start(*this);
  }

  std::coroutine_handle<> task_ended(std::size_t) noexcept override {
    has_ended = true;
    return std::noop_coroutine();
  }
  // A line of the head, with its CRLF.
  void take_line(std::string_view line) {
    line.remove_suffix(2);
    if (line.empty()) {
      has_head = true;
    } else if (status == 0) {
      const std::string_view digits = line.substr(line.find(' ') + 1);
      std::from_chars(digits.data(), digits.data() + digits.size(), status);
    } else {
      const std::size_t colon = line.find(": ");
      headers.add(line.substr(0, colon), line.substr(colon + 2));
    }
  }
  template <class Condition>
  void wait_for(Condition condition) {
    Patience(loop, name).run_until([&] { return has_ended || condition(); });
    if (has_ended && !condition() && task.error()) std::rethrow_exception(task.error());
  }

  IOLoop& loop;
  std::string name;
  int status = 0;
  http::Headers headers;
  bool has_head = false;
  bool has_ended = false;
  std::string bytes;
  Task<http::HTTPResponse> task;  // last, as its callbacks use the members above
};

StreamedResponse::StreamedResponse(http::AsyncHTTPClient& client, http::HTTPRequest request)
    : state_(std::make_unique<State>(client, std::move(request))) {}
StreamedResponse::StreamedResponse(StreamedResponse&&) noexcept = default;
StreamedResponse::~StreamedResponse() = default;

int StreamedResponse::status() {
  headers();
  return state_->status;
}

const http::Headers& StreamedResponse::headers() {
  state_->wait_for([this] { return state_->has_head; });
  return state_->headers;
}

std::string StreamedResponse::read() {
  state_->wait_for([this] { return !state_->bytes.empty(); });
  return std::exchange(state_->bytes, std::string());
}

std::string StreamedResponse::read_until(std::string_view delimiter) {
  std::string& bytes = state_->bytes;
  std::size_t searched = 0;
  std::size_t found = bytes.npos;
  state_->wait_for([&] {
    if (found != bytes.npos) return true;
    found = bytes.find(delimiter, searched);
    searched = bytes.size() - std::min(bytes.size(), delimiter.size() - 1);
    return found != bytes.npos;
  });
  if (found == bytes.npos) return std::exchange(bytes, std::string());
  std::string result = bytes.substr(0, found + delimiter.size());
  bytes.erase(0, result.size());
  return result;
}

std::string StreamedResponse::read_to_end() {
  state_->wait_for([] { return false; });
  return std::exchange(state_->bytes, std::string());
}

void StreamedResponse::close() noexcept { state_.reset(); }

}  // namespace squall::testing
