#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Encodes a body in chunks (RFC 9112, 7.1), for requests and for responses. A chunk is its size line, its
// bytes and kChunkEnd; a chunk of no bytes would end the body. The last chunk is kLastChunk; trailer fields
// are sent between kLastChunkSize and an empty line.
namespace squall::http {

inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunkSize = "0\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
// The longest size line: 16 hexadecimal digits and CRLF.
inline constexpr std::size_t kMaxChunkSizeLine = 18;

// Writes the size line of a chunk to `out`, which has room for kMaxChunkSizeLine bytes. Returns the end of
// the line.
inline char* write_chunk_size_line(char* out, std::uint64_t size) noexcept {
  char* const end = std::to_chars(out, out + kMaxChunkSizeLine - 2, size, 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  return end + 2;
}

}  // namespace squall::http
