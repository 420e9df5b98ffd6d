#include <squall/ioloop/base/read_by_strtod.h>
#include <squall/ioloop/base/read_number.h>

namespace squall {

std::from_chars_result detail::read_float(std::string_view text, float& value) {
  return read_by_strtod(text, value);
}
std::from_chars_result detail::read_float(std::string_view text, double& value) {
  return read_by_strtod(text, value);
}
std::from_chars_result detail::read_float(std::string_view text, long double& value) {
  return read_by_strtod(text, value);
}

}  // namespace squall
