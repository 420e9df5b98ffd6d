#include <squall/iostream/tls/tls_records.h>

#include <string>

#include "support/catch.h"

namespace squall::tls_records_test {
namespace {

using detail::TLSRecords;

TEST_CASE("the plaintext of a record counts once the last byte of its ciphertext is sent", "[tls]") {
  TLSRecords records;
  records.append("first");
  records.end_record(100);
  records.append("second");
  records.end_record(200);
  records.append("alert");
  CHECK(records.bytes() == "firstsecondalert");
  CHECK(records.consume(4) == 0);
  CHECK(records.consume(1) == 100);
  CHECK(records.consume(6) == 200);
  CHECK(records.consume(5) == 0);
  CHECK(records.empty());
}

TEST_CASE("records keep their order and their plaintext when their block is replaced", "[tls]") {
  TLSRecords records;
  const std::string large(10'000, 'x');
  records.append(large);
  records.end_record(9'000);
  CHECK(records.consume(9'990) == 0);
  records.shrink();
  records.append("more");
  records.end_record(3);
  CHECK(records.bytes() == "xxxxxxxxxxmore");
  CHECK(records.consume(14) == 9'003);
}

TEST_CASE("records are full after as many as are encrypted together", "[tls]") {
  TLSRecords records;
  for (std::size_t i = 0; i < TLSRecords::kMost; ++i) {
    CHECK_FALSE(records.is_full());
    records.append("r");
    records.end_record(1);
  }
  CHECK(records.is_full());
  records.clear();
  CHECK_FALSE(records.is_full());
}

}  // namespace
}  // namespace squall::tls_records_test
