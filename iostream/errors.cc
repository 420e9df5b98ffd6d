#include <squall/iostream/errors.h>

namespace squall {
namespace {

class StreamCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "stream"; }
  std::string message(int value) const override {
    switch (static_cast<StreamErrc>(value)) {
      case StreamErrc::unsatisfiable_read: return "Unsatisfiable read";
      case StreamErrc::read_buffer_full: return "Reached maximum read buffer size";
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

StreamClosedError::StreamClosedError(std::error_code error)
    : std::runtime_error(error ? "Stream is closed: " + error.message() : "Stream is closed"),
      error_(error) {}

}  // namespace squall
