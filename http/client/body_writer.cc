#include <squall/http/client/body_writer.h>

#include <squall/http/codec/chunk_encoder.h>

#include <array>
#include <stdexcept>

namespace squall::http {

WriteAwaiter BodyWriter::write(std::string_view piece) {
  if (remaining_) {
    if (piece.size() > *remaining_)
      throw std::length_error("The body is longer than the Content-Length header of the request");
    *remaining_ -= piece.size();
    return stream_.write(piece);
  }
  // A chunk of no bytes would end the body.
  if (piece.empty()) return stream_.flush();
  std::array<char, kMaxChunkSizeLine> line;
  const char* const end = write_chunk_size_line(line.data(), piece.size());
  const std::array<std::string_view, 3> pieces = {
      std::string_view(line.data(), static_cast<std::size_t>(end - line.data())), piece, kChunkEnd};
  return stream_.write(pieces);
}

void BodyWriter::finish() {
  if (!remaining_) {
    stream_.write(kLastChunk);
  } else if (*remaining_ > 0) {
    throw std::length_error("The body is shorter than the Content-Length header of the request");
  }
}

}  // namespace squall::http
