#pragma once

#include <squall/http/message/headers.h>
#include <squall/ioloop/base/frame_pool.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::http {

// Sees a response before it is framed, and may change it: compression, an ETag, a digest. See
// Exchange::add_filter().
//
// Calls come in this order: head() once; piece() for each piece of the body, or once for a whole body; end()
// once. The framing follows from the result: a whole body gets the Content-Length of the filtered body. A
// filter that changes the length of a body removes a Content-Length from the headers in head().
//
// Thread:    the server's loop.
// Lifetime:  owned by the exchange, and destroyed when the response is over.
// Errors:    an exception is thrown to the handler by write() or finish(), and nothing more is sent.
class ResponseFilter {
 public:
  virtual ~ResponseFilter() = default;

  // `size` is the size of a whole body before this filter; nullopt if the body comes in pieces.
  virtual void head(int& status, Headers& headers, std::optional<std::uint64_t> size) = 0;
  // Appends to `out` the bytes to be sent in place of `piece`. May append nothing.
  virtual void piece(std::string_view piece, std::string& out) = 0;
  // The body is over: appends the last bytes to be sent.
  virtual void end(std::string&) {}
};

// Called once for each response, when its head is about to be sent. The function may change status and
// headers, and add filters. If the head is then reset, for an error page, the function is called again for
// the new head. `size` is the size of a whole body; nullopt if the body comes in pieces.
//
// Lifetime:  `context` outlives the response, or the hook is replaced by an empty one.
// Errors:    an exception is thrown to the handler by write() or finish(), and the hook is not called again.
struct HeadHook {
  void (*call)(void* context, std::optional<std::uint64_t> size) = nullptr;
  void* context = nullptr;
};

// The filters of one response, in the order in which the body passes through them.
class ResponseFilters : public Pooled {
 public:
  enum class Last : bool { no, yes };

  void add(std::unique_ptr<ResponseFilter> filter) { stages_.push_back({std::move(filter), {}}); }
  // Does nothing after the first call.
  void head(int& status, Headers& headers, std::optional<std::uint64_t> size);
  // The bytes to be sent, valid until the next call.
  std::string_view pass(std::string_view piece, Last last);

 private:
  struct Stage {
    std::unique_ptr<ResponseFilter> filter;
    std::string out;
  };
  std::vector<Stage> stages_;
  bool has_seen_head_ = false;
};

}  // namespace squall::http
