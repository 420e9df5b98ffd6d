#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// SHA-512 of contents, as 128 lower-case hexadecimal digits (WEB-141).
//
// Thread:    any.
namespace squall::web {

std::string hash_of(std::string_view content);

// The hash of the first `size` bytes of a file; nullopt if they cannot be read. Blocks while it reads.
std::optional<std::string> hash_of_file(int file, std::uint64_t size);

}  // namespace squall::web
