#pragma once

#include <string_view>

namespace squall::detail {

// Ends the program by abort(), with `message` on stderr: the caller broke a documented rule, and memory in
// use is about to be freed.
//
// Thread:    any.
[[noreturn]] void fail_fast(std::string_view message) noexcept;

}  // namespace squall::detail
