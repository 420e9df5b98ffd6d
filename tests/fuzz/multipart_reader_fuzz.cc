// A multipart body that web::MultipartReader reads piece by piece, with the boundary `b`. The reader finds
// the parts that http::parse_multipart() finds in the whole body, or both refuse the body.
//
// The first byte of an input is the size of pieces. Each bit of the second byte says whether a part is
// skipped; the ninth part has the first bit again.

#include <squall/http/message/form.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/multipart_reader.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

const std::string kType = "multipart/form-data; boundary=b";

struct Part {
  std::string name;
  std::string filename;
  std::string data;
  bool skipped = false;
};

// Gives the pieces of a body. Each is in memory of exactly its size, so that AddressSanitizer finds a read
// beyond its end, and a read after the next call.
class Pieces {
 public:
  Pieces(std::string_view body, std::size_t size) : rest_(body), size_(size) {}

  Task<std::string_view> next() {
    const std::string_view piece = rest_.substr(0, size_);
    rest_.remove_prefix(piece.size());
    memory_ = std::make_unique<std::vector<char>>(piece.begin(), piece.end());
    co_return std::string_view(memory_->data(), memory_->size());
  }

 private:
  std::string_view rest_;
  std::size_t size_;
  std::unique_ptr<std::vector<char>> memory_;
};

Task<> read_parts(MultipartReader& reader, unsigned skipped, std::vector<Part>& parts) {
  for (;;) {
    const http::MultipartPart* const part = co_await reader.next_part();
    if (!part) break;
    const bool skips = (skipped >> (parts.size() % 8) & 1) != 0;
    parts.push_back({part->name, part->filename, {}, skips});
    if (skips) continue;
    for (;;) {
      const std::string_view piece = co_await reader.read();
      if (piece.empty()) break;
      parts.back().data += piece;
    }
    const std::string_view after = co_await reader.read();
    FUZZ_CHECK(after.empty());
  }
}

void check(IOLoop& loop, std::string_view body, std::size_t size, unsigned skipped) {
  http::MultipartLimits limits;
  limits.max_preamble_size = 20;
  limits.max_parts = 10;
  limits.max_part_header_size = 200;
  http::Form form;
  const bool is_good = http::parse_multipart(kType, body, form, limits) == http::MultipartFault::none;

  Pieces pieces(body, size);
  MultipartReader reader(kType, [&pieces] { return pieces.next(); }, limits);
  std::vector<Part> parts;
  bool is_taken = true;
  try {
    loop.run_sync(read_parts(reader, skipped, parts));
  } catch (const HTTPError& error) {
    FUZZ_CHECK(error.status() == 400);
    is_taken = false;
  }
  FUZZ_CHECK(is_taken == is_good);
  if (!is_good) return;
  std::size_t field = 0;
  std::size_t file = 0;
  for (const Part& part : parts) {
    if (part.filename.empty()) {
      const auto& [name, value] = form.arguments.at(field++);
      FUZZ_CHECK(part.name == name && (part.skipped || part.data == value));
    } else {
      const http::HTTPFile& found = form.files.at(file++);
      FUZZ_CHECK(part.name == found.name && part.filename == found.filename);
      FUZZ_CHECK(part.skipped || part.data == found.body);
    }
  }
  FUZZ_CHECK(field == form.arguments.size() && file == form.files.size());
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static squall::IOLoop loop;
  if (size < 2) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  for (const std::size_t step : {std::size_t{1}, std::size_t{data[0]} + 2, body.size() + 1})
    squall::web::check(loop, body, step, data[1]);
  return 0;
}
