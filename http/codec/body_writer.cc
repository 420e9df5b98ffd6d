#include <squall/http/codec/body_writer.h>

#include <fmt/format.h>

#include <iterator>

namespace squall::http {

WriteAwaiter BodyWriter::write(std::string_view piece) {
  if (remaining_) {
    if (piece.size() > *remaining_)
      throw std::length_error("The body is longer than the Content-Length among the request's headers");
    *remaining_ -= piece.size();
    return stream_.write(piece);
  }
  // A chunk of no bytes would end the body.
  if (piece.empty()) return stream_.flush();
  // All three or none.
  stream_.check_write(piece.size() + 20);
  char line[20];
  const auto end = fmt::format_to(line, "{:x}\r\n", piece.size());
  stream_.write(std::string_view(line, static_cast<std::size_t>(end - line)));
  stream_.write(piece);
  return stream_.write("\r\n");
}

void BodyWriter::finish() {
  if (!remaining_) {
    stream_.write(std::string_view("0\r\n\r\n"));
  } else if (*remaining_ > 0) {
    throw std::length_error("The body is shorter than the Content-Length among the request's headers");
  }
}

}  // namespace squall::http
