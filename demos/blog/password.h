#pragma once

#include <string>

namespace blog {

// The most bytes of a password.
inline constexpr std::size_t kMaxPassword = 200;

// The hash of a password with a random salt, by yescrypt of the system's crypt() (DEM-55). Both functions are
// slow on purpose, and take 16 MB of memory: call them in an executor. They throw std::system_error if the
// system cannot hash.
//
// Thread:    any.
std::string hash_password(const std::string& password);
bool is_password(const std::string& password, const std::string& hash);

}  // namespace blog
