// Cookies: the Cookie header, Set-Cookie in both directions, and the jar, which gets each line of the input
// as a Set-Cookie header.

#include <squall/http/message/cookie.h>
#include <squall/http/message/cookie_jar.h>
#include <squall/ioloop/base/ascii.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

const CookieJar::Time kNow = std::chrono::system_clock::from_time_t(1700000000);

void check_header(std::string_view text) {
  const auto cookies = parse_cookies(text);
  if (!cookies) return;
  std::set<std::string> names;
  for (const auto& [name, value] : *cookies) {
    FUZZ_CHECK(names.insert(name).second);
    FUZZ_CHECK(name.find_first_of("=;") == name.npos);
  }
}

void check_set_cookie(std::string_view text) {
  SetCookie built;
  built.name = "name";
  built.value = text;
  try {
    const std::string header = format_set_cookie(built);
    FUZZ_CHECK(is_field_text(header));
    FUZZ_CHECK(unquote_cookie(header.substr(5, header.rfind("; Path=") - 5)) == text);
    const auto cookies = parse_cookies(header.substr(0, header.rfind("; Path=")));
    FUZZ_CHECK(cookies && cookies->size() == 1 && cookies->front().second == text);
  } catch (const CookieError&) {
  }
  const auto parsed = parse_set_cookie(text);
  if (!parsed) return;
  FUZZ_CHECK(!parsed->name.empty() && parsed->name.size() + parsed->value.size() <= 4096);
  FUZZ_CHECK(parsed->path.empty() || parsed->path[0] == '/');
  for (const char c : parsed->name + parsed->value)
    FUZZ_CHECK(c != ';' && c != '\r' && c != '\n' && c != '\0');
  try {
    const auto again = parse_set_cookie(format_set_cookie(*parsed));
    FUZZ_CHECK(again && unquote_cookie(again->value) == parsed->value);
    SetCookie same = *again;
    same.value = parsed->value;
    // Dates have whole seconds, so nothing is lost; dates beyond the clock's range become its limits.
    same.expires = parsed->expires;
    // At most one leading dot of a domain is removed.
    if (parsed->domain.starts_with('.')) same.domain = parsed->domain;
    FUZZ_CHECK(same == *parsed);
  } catch (const CookieError&) {
  }
}

void check_jar(std::string_view text) {
  CookieJar::Limits limits;
  limits.max_cookies = 5;
  limits.max_per_domain = 3;
  CookieJar jar(limits);
  const URL urls[] = {URL("http://a.b.example/p/q"), URL("https://b.example/"), URL("http://1.2.3.4/"),
                      URL("https://x./p")};
  int count = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto now = kNow + std::chrono::seconds(count);
    const URL& url = urls[count++ % 4];
    jar.set(url, line, now);
    FUZZ_CHECK(jar.size() <= limits.max_cookies && jar.size() == jar.cookies().size());
    for (const URL& to : urls) {
      const std::string header = jar.header(to, now);
      FUZZ_CHECK(header.find_first_of(std::string_view("\r\n\0", 3)) == header.npos);
    }
  }
  std::set<std::string> keys;
  for (const CookieJar::Cookie& cookie : jar.cookies()) {
    const std::size_t dot = cookie.domain.find('.');
    FUZZ_CHECK(cookie.host_only || dot < cookie.domain.size() - 1);
    FUZZ_CHECK(
        keys.insert(cookie.name + "\n" + cookie.domain + "\n" + cookie.path + (cookie.host_only ? "1" : "0"))
            .second);
  }
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check_header(text);
  squall::http::check_set_cookie(text);
  squall::http::check_jar(text);
  return 0;
}
