#pragma once

#include <string_view>

namespace squall::web {

// Whether two secrets are equal, such as a signature and the expected one (SEC-43). The time depends on their
// lengths only, and so tells nobody how many bytes of a guess are right.
bool constant_time_equals(std::string_view a, std::string_view b) noexcept;

}  // namespace squall::web
