// The multipart parser, with the boundary `b`. The first byte of an input is the size of pieces. Pieces give
// the same events as the whole; a body made from the events gives them again.

#include <squall/http/message/form.h>
#include <squall/http/message/header_params.h>
#include <squall/http/message/multipart.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

struct Part {
  std::string name;
  std::string filename;
  std::string content_type;
  std::string data;
  bool ended = false;

  bool operator==(const Part&) const = default;
};

class Recorder : public MultipartDelegate {
 public:
  void part_begin(const MultipartPart& part) override {
    FUZZ_CHECK(!finished && (parts.empty() || parts.back().ended));
    FUZZ_CHECK(!part.name.empty());
    parts.push_back({part.name, part.filename, part.content_type, {}, false});
  }
  void part_data(std::string_view data) override {
    FUZZ_CHECK(!data.empty() && !parts.empty() && !parts.back().ended);
    parts.back().data += data;
  }
  void part_end() override {
    FUZZ_CHECK(!parts.empty() && !parts.back().ended);
    parts.back().ended = true;
  }
  void finish() override {
    FUZZ_CHECK(!finished && (parts.empty() || parts.back().ended));
    finished = true;
  }

  std::vector<Part> parts;
  bool finished = false;
};

// Pieces of `size` bytes.
MultipartFault parse(std::string_view body, std::size_t size, Recorder& recorder) {
  MultipartLimits limits;
  limits.max_preamble_size = 20;
  MultipartParser parser("b", limits);
  bool good = true;
  while (good && !body.empty()) {
    const std::string piece(body.substr(0, size));
    good = parser.feed(piece, recorder);
    body.remove_prefix(piece.size());
  }
  FUZZ_CHECK((good && parser.end()) == (parser.fault() == MultipartFault::none));
  FUZZ_CHECK(recorder.finished || parser.fault() != MultipartFault::none);
  return parser.fault();
}

// A body made from the events, with another boundary.
void check_again(const std::vector<Part>& parts) {
  const std::string boundary = "another_boundary_0123456789";
  std::string body;
  for (const Part& part : parts) {
    // A name may have characters that this form cannot express.
    try {
      HeaderParams::List params = {{"name", part.name}, {"filename", part.filename}};
      if (part.filename.empty()) params.pop_back();
      const std::string disposition = format_header("form-data", params);
      body += "--" + boundary + "\r\nContent-Disposition: " + disposition + "\r\n\r\n" + part.data + "\r\n";
    } catch (const std::invalid_argument&) {
      return;
    }
    if (part.data.find(boundary) != part.data.npos) return;
  }
  body += "--" + boundary + "--";
  Form form;
  FUZZ_CHECK(parse_multipart("multipart/form-data; boundary=" + boundary, body, form) ==
             MultipartFault::none);
  std::size_t field = 0;
  std::size_t file = 0;
  for (const Part& part : parts) {
    if (part.filename.empty()) {
      FUZZ_CHECK(form.arguments.at(field++) == std::pair(part.name, part.data));
    } else {
      const HTTPFile& found = form.files.at(file++);
      FUZZ_CHECK(found.name == part.name && found.filename == part.filename && found.body == part.data);
    }
  }
}

void check(std::string_view input) {
  const std::size_t step = input.empty() ? 1 : static_cast<unsigned char>(input[0]) % 40 + 1;
  const std::string_view body = input.substr(input.empty() ? 0 : 1);
  Recorder whole;
  const MultipartFault fault = parse(body, body.size() + 1, whole);
  for (const std::size_t size : {std::size_t{1}, step}) {
    Recorder cut;
    FUZZ_CHECK(parse(body, size, cut) == fault);
    FUZZ_CHECK(cut.parts == whole.parts);
  }
  if (fault == MultipartFault::none) check_again(whole.parts);
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string input(reinterpret_cast<const char*>(data), size);
  squall::http::check(input);
  return 0;
}
