// The parser of PROXY headers. For any bytes in any pieces the status changes once, from `more`, and all
// views are within the header.

#include <squall/iostream/tcp/proxy_protocol.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall {
namespace {

using Status = ProxyParse::Status;

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_tlvs(const ProxyTlvs& tlvs, std::string_view header) {
  std::size_t size = 0;
  for (const ProxyTlv& tlv : tlvs) {
    FUZZ_CHECK(lies_in(tlv.value, header));
    FUZZ_CHECK(tlvs.find(tlv.type).has_value());
    size += 3 + tlv.value.size();
  }
  FUZZ_CHECK(size == tlvs.bytes().size());
}

void check_header(const ProxyParse& parse, std::string_view bytes) {
  const ProxyHeader& header = parse.header;
  FUZZ_CHECK(parse.size > 0 && parse.size <= bytes.size() && parse.size <= kMaxProxyHeader);
  bytes = bytes.substr(0, parse.size);
  FUZZ_CHECK(header.version == 1 || header.version == 2);
  FUZZ_CHECK(header.version == 2 || (parse.size <= 107 && bytes.ends_with("\r\n")));
  FUZZ_CHECK(header.source.family() == header.destination.family());
  FUZZ_CHECK(header.is_local == (header.source == Address() && header.destination == Address()));
  FUZZ_CHECK(lies_in(header.tlvs.bytes(), bytes));
  FUZZ_CHECK(lies_in(header.source_path, bytes) && lies_in(header.destination_path, bytes));
  check_tlvs(header.tlvs, bytes);
  if (const auto ssl = header.ssl()) check_tlvs(ssl->tlvs, bytes);
  if (!header.source.is_ip()) return;
  // A parsed address can be printed and parsed again.
  FUZZ_CHECK(Address::parse(header.source.to_string()) == header.source);
  if (header.version == 2) return;
  const int family = header.source.family() == AF_INET ? 4 : 6;
  const std::string line =
      fmt::format("PROXY TCP{} {} {} {} {}\r\n", family, header.source.ip(), header.destination.ip(),
                  header.source.port(), header.destination.port());
  const ProxyParse again = parse_proxy_header(line);
  FUZZ_CHECK(again.status == Status::complete && again.header.source == header.source &&
             again.header.destination == header.destination);
}

void check(std::string_view bytes) {
  const ProxyParse whole = parse_proxy_header(bytes);
  if (whole.status == Status::complete) check_header(whole, bytes);
  // All prefixes of a short input; of a long one those around the end of the header.
  const std::size_t step = bytes.size() > 300 ? 17 : 1;
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    const ProxyParse part = parse_proxy_header(bytes.substr(0, size));
    if (part.status == Status::more) continue;
    FUZZ_CHECK(part.status == whole.status);
    FUZZ_CHECK(part.size == whole.size);
    FUZZ_CHECK(std::string_view(part.reason) == whole.reason);
    FUZZ_CHECK(part.header.source == whole.header.source);
  }
  if (whole.status != Status::complete) return;
  FUZZ_CHECK(parse_proxy_header(bytes.substr(0, whole.size)).status == Status::complete);
  FUZZ_CHECK(parse_proxy_header(bytes.substr(0, whole.size - 1)).status == Status::more);
}

}  // namespace
}  // namespace squall

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  squall::check(bytes);
  return 0;
}
