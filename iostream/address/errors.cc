#include <squall/iostream/address/errors.h>

#include <new>

namespace squall {
namespace {

// Copies share the text of this object. So the usual end of a connection costs no allocation, and a stream
// that runs out of memory can still throw.
const std::runtime_error g_closed("Stream is closed");

std::runtime_error closed_by(std::error_code error) {
  if (!error) return g_closed;
  try {
    return std::runtime_error("Stream is closed: " + error.message());
  } catch (const std::bad_alloc&) {
    return g_closed;
  }
}

class StreamCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "stream"; }
  std::string message(int value) const override {
    switch (static_cast<StreamErrc>(value)) {
      case StreamErrc::unsatisfiable_read: return "Unsatisfiable read";
      case StreamErrc::read_buffer_full: return "Reached maximum read buffer size";
      case StreamErrc::match_limit: return "Regular expression takes too many steps";
      case StreamErrc::file_ended: return "File ended while it was sent";
      case StreamErrc::truncated: return "The connection ended without TLS's close_notify";
    }
    return "unknown stream error";
  }
};

}  // namespace

const std::error_category& stream_category() noexcept {
  static const StreamCategory category;
  return category;
}

std::error_code make_error_code(StreamErrc error) noexcept {
  return {static_cast<int>(error), stream_category()};
}

StreamClosedError::StreamClosedError(std::error_code code)
    : std::runtime_error(closed_by(code)), code_(code) {}

}  // namespace squall
