#include <squall/ioloop/base/read_number.h>

namespace squall {
namespace {

template <class Float>
std::from_chars_result read(std::string_view text, Float& value) {
  return std::from_chars(text.data(), text.data() + text.size(), value);
}

}  // namespace

std::from_chars_result detail::read_float(std::string_view text, float& value) { return read(text, value); }
std::from_chars_result detail::read_float(std::string_view text, double& value) { return read(text, value); }
std::from_chars_result detail::read_float(std::string_view text, long double& value) {
  return read(text, value);
}

}  // namespace squall
