#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

// Masking: the XOR of a payload with four bytes that are repeated (RFC 6455, 5.3). Doing it twice gives the
// payload again. Bytes may begin anywhere in a payload and in memory. No function reads or writes a byte
// outside of its ranges (SEC-64).
//
// Thread:    any.
namespace squall::websocket {

using MaskKey = std::array<char, 4>;

// The key for bytes that begin at `offset` in the payload.
constexpr MaskKey rotated(const MaskKey& key, std::size_t offset) noexcept {
  return {key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3], key[(offset + 3) & 3]};
}

// Masks `bytes`, which begin at `offset` in the payload, in place.
void mask(std::span<char> bytes, const MaskKey& key, std::size_t offset = 0) noexcept;

// Writes the masked `bytes` to `to`, which has as many bytes and does not overlap them.
void mask_into(char* to, std::string_view bytes, const MaskKey& key, std::size_t offset = 0) noexcept;

}  // namespace squall::websocket
