#include <squall/http/codec/content_decoder.h>
#include <squall/http/codec/request_parser.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::http::options_test {
namespace {

TEST_CASE("the options of decoders and parsers are aggregates that take designated initialisers",
          "[options]") {
  static_assert(std::is_aggregate_v<BoundedDecoder::Limits>);
  CHECK(BoundedDecoder::Limits{.max_size = 3, .max_ratio = 3}.max_ratio == 3);
  static_assert(std::is_aggregate_v<RequestParser::Limits>);
  CHECK(RequestParser::Limits{.max_header_count = 3}.max_header_count == 3);
}

}  // namespace
}  // namespace squall::http::options_test
