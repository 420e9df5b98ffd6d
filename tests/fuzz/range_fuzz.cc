// Ranges: the answered ranges are within the size and do not touch; Content-Range is parsed and formatted.

#include <squall/http/message/range.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

using Kind = RangeAnswer::Kind;

void check_answer(const RangeAnswer& answer, std::uint64_t size) {
  FUZZ_CHECK((answer.kind == Kind::partial) == !answer.ranges.empty());
  FUZZ_CHECK(answer.ranges.size() <= 16);
  std::uint64_t total = 0;
  for (const ByteRange& range : answer.ranges) {
    FUZZ_CHECK(range.begin < range.end && range.end <= size);
    total += range.size();
    for (const ByteRange& other : answer.ranges)
      FUZZ_CHECK(&range == &other || range.end < other.begin || other.end < range.begin);
    const ContentRange again = parse_content_range(format_content_range(range, size)).value();
    FUZZ_CHECK(again.range == range && again.size == size);
  }
  FUZZ_CHECK(total < size || answer.kind != Kind::partial);
}

void check(std::string_view text) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1} << 40}) {
    const RangeAnswer one = answer_range(parse_range(text), size);
    check_answer(one, size);
    FUZZ_CHECK(one.ranges.size() <= 1);
    const RangeAnswer many = answer_ranges(text, size);
    check_answer(many, size);
    // For one range both functions agree.
    if (text.find(',') == text.npos) FUZZ_CHECK(one == many);
  }
  if (const auto content = parse_content_range(text)) {
    FUZZ_CHECK(content->range || content->size);
    if (content->range) {
      FUZZ_CHECK(content->range->begin < content->range->end);
      FUZZ_CHECK(!content->size || content->range->end <= *content->size);
      if (content->size)
        FUZZ_CHECK(parse_content_range(format_content_range(*content->range, *content->size)) == content);
    }
  }
  FUZZ_CHECK(!if_range_holds(text, "", std::nullopt));
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check(text);
  return 0;
}
