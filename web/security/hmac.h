#pragma once

#include <array>
#include <string_view>

// Signatures of secrets: HMAC (RFC 2104), in lower-case hexadecimal. They throw std::runtime_error if OpenSSL
// lacks the hash function or memory.
namespace squall::web::detail {

std::array<char, 40> hmac_sha1_hex(std::string_view secret, std::string_view text);
std::array<char, 64> hmac_sha256_hex(std::string_view secret, std::string_view text);

}  // namespace squall::web::detail
