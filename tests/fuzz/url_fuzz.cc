// URLs. An accepted URL is normalised, can be built again from its parts, and has one meaning only.

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url.h>
#include <squall/http/message/url_text.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

void check_url(const URL& url) {
  const std::string& text = url.text();
  FUZZ_CHECK(text.size() <= 2 * URL::kMaxSize);
  for (const char c : text) FUZZ_CHECK(c > 0x20 && c < 0x7f && c != '\\' && c != '"');
  FUZZ_CHECK(!url.host().empty() && url.port() != 0 && url.path().starts_with('/'));
  FUZZ_CHECK(url.host().find_first_of("@/?#%\\") == std::string_view::npos);
  FUZZ_CHECK(url.target().starts_with(url.path()));
  FUZZ_CHECK(url.is_ipv6() == (url.host().find(':') != std::string_view::npos));
  // The text of a URL is parsed to the same URL.
  const auto again = URL::parse(text);
  FUZZ_CHECK(again && *again == url && again->port() == url.port() && again->host() == url.host());
  FUZZ_CHECK(URL(url.origin()).same_origin(url));
  FUZZ_CHECK(!url.without_userinfo().userinfo() && url.without_userinfo().same_origin(url));
  FUZZ_CHECK(url.without_fragment().target() == url.target());
  // The parts build the same URL, except for the spelling of escapes.
  URLParts parts;
  const std::string username = url.username();
  const std::string password = url.password();
  const std::string path = percent_decode(url.path());
  parts.scheme = url.scheme();
  if (!username.empty()) {
    parts.username = username;
    parts.password = password;
  }
  parts.host = url.host();
  parts.port = url.port();
  parts.path = path;
  const URL built = URL::build(parts);
  FUZZ_CHECK(built.same_origin(url) && percent_decode(built.path()) == path);
  FUZZ_CHECK(username.empty() || (built.username() == username && built.password() == password));
  // As a reference it resolves to itself without dot segments.
  const URL resolved = URL("http://base/x").resolve(text);
  FUZZ_CHECK(resolved.same_origin(url) && resolved.userinfo() == url.userinfo() &&
             resolved.query() == url.query());
  const std::string segments = std::string(resolved.path()) + "/";
  FUZZ_CHECK(segments.find("/../") == segments.npos && segments.find("/./") == segments.npos);
  FUZZ_CHECK(resolved.resolve(resolved.text()) == resolved);
}

void check(std::string_view text) {
  URLFault fault;
  const auto url = URL::parse(text, fault);
  if (url) {
    check_url(*url);
  } else {
    FUZZ_CHECK(!fault.reason.empty() && fault.offset <= text.size());
  }
  const URL base("https://me@host:444/a/b/../c?q#f");
  URLFault reference_fault;
  if (const auto resolved = base.resolve(text, reference_fault)) {
    check_url(*resolved);
  } else {
    FUZZ_CHECK(!reference_fault.reason.empty() && reference_fault.offset <= text.size());
    FUZZ_CHECK(!url || reference_fault.reason == "longer than a URL may be");
  }
  const std::string encoded = percent_encode_stray(text);
  FUZZ_CHECK(percent_encode_stray(encoded) == encoded);
  FUZZ_CHECK(!url || encoded == text);
  const std::string added = url_concat(text, {{"name", "value"}});
  FUZZ_CHECK(added.substr(0, added.find('#')).ends_with("name=value"));
  const auto [host, port] = split_host_and_port(text);
  FUZZ_CHECK(text.starts_with(host) && port.has_value() == (host.size() != text.size()));
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check(text);
  return 0;
}
