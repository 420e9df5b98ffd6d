#pragma once

#include <string_view>

namespace squall {

// Writes all of `text` to a blocking descriptor, and returns 0 or the errno of what stopped it. A pipe whose
// reader has gone is EPIPE and no signal.
//
// Thread:    any.
int write_whole(int fd, std::string_view text) noexcept;

}  // namespace squall
