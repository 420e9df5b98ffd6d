#pragma once

#include <string>
#include <string_view>

namespace squall::options {

// A text of the user for a message of one line: in single quotes, with escapes for control characters and
// bytes that are not UTF-8. Of more than 100 bytes the first are shown, and then `...`.
std::string quote(std::string_view text);

}  // namespace squall::options
