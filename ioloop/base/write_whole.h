#pragma once

#include <string_view>

namespace squall {

// Writes all of `text` to a blocking descriptor. Returns 0 or an errno. A pipe whose read end is closed is
// EPIPE, without SIGPIPE.
//
// Thread:    any.
int write_whole(int fd, std::string_view text) noexcept;

}  // namespace squall
