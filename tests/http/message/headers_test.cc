#include <squall/http/message/header_lines.h>
#include <squall/http/message/headers.h>

#include <random>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::headers_test {
namespace {

std::vector<std::string> lines(const Headers& headers) {
  std::vector<std::string> result;
  for (const auto [name, value] : headers) result.push_back(std::string(name) + "=" + std::string(value));
  return result;
}

TEST_CASE("fields are found without regard to case, and keep their spelling and order (HUT-01)",
          "[headers]") {
  Headers headers;
  headers.add("X-Custom", "1");
  headers.add("content-TYPE", "text/plain");
  headers.add("x-cUSTOM", "2");
  CHECK(headers.size() == 3);
  CHECK(headers.contains("Content-Type"));
  CHECK(headers.find("CONTENT-type") == "text/plain");
  CHECK(headers.find(HeaderId::content_type) == "text/plain");
  CHECK(headers.find("X-CUSTOM") == "1");
  CHECK_FALSE(headers.find("X-Custo"));
  CHECK_FALSE(headers.find(HeaderId::host));
  CHECK(lines(headers) == std::vector<std::string>{"X-Custom=1", "content-TYPE=text/plain", "x-cUSTOM=2"});
  CHECK(headers.text() == "X-Custom: 1\r\ncontent-TYPE: text/plain\r\nx-cUSTOM: 2\r\n");
}

TEST_CASE("values of one name are joined by a comma and a space", "[headers]") {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("Other", "x");
  headers.add("accept", "b");
  CHECK(headers.get("Accept") == "a, b");
  CHECK(headers.get_list("ACCEPT") == std::vector<std::string_view>{"a", "b"});
  CHECK(headers.get("None").empty());
  CHECK(headers.get_list("None").empty());
}

TEST_CASE("set replaces all fields of a name, at the place of the first", "[headers]") {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.add("C", "4");
  headers.set("A", "a longer value");
  CHECK(lines(headers) == std::vector<std::string>{"A=a longer value", "B=2", "C=4"});
  headers.set("a", "");
  CHECK(lines(headers) == std::vector<std::string>{"A=", "B=2", "C=4"});
  headers.set("D", "new");
  CHECK(headers.text() == "A: \r\nB: 2\r\nC: 4\r\nD: new\r\n");
}

TEST_CASE("remove removes all fields of a name", "[headers]") {
  Headers headers;
  headers.add("Host", "1");
  headers.add("B", "2");
  headers.add("HOST", "3");
  CHECK(headers.count(HeaderId::host) == 2);
  CHECK(headers.remove("host"));
  CHECK_FALSE(headers.remove("host"));
  CHECK_FALSE(headers.find(HeaderId::host));
  CHECK(headers.text() == "B: 2\r\n");
  headers.clear();
  CHECK(headers.empty());
  CHECK(headers.text().empty());
}

TEST_CASE("names and values that could split a response are refused, and nothing changes (SEC-30, SEC-32)",
          "[headers]") {
  Headers headers;
  headers.add("A", "1");
  using namespace std::string_literals;
  for (const std::string& value : {"a\nb"s, "a\rb"s, "a\0b"s, "\x7f"s, "\x1f"s}) {
    CHECK_THROWS_AS(headers.add("B", value), std::invalid_argument);
    CHECK_THROWS_AS(headers.set("A", value), std::invalid_argument);
  }
  for (const std::string& name : {""s, "a b"s, "a:"s, "a\r\nb"s, "\xe9"s}) {
    CHECK_THROWS_AS(headers.add(name, "1"), std::invalid_argument);
    CHECK_THROWS_AS(headers.set(name, "1"), std::invalid_argument);
  }
  headers.add("B", "tab\t and \xe9 pass");
  CHECK(headers.text() == "A: 1\r\nB: tab\t and \xe9 pass\r\n");
}

TEST_CASE("header_id finds its names in any case, and no others", "[headers]") {
  CHECK(header_id("Host") == HeaderId::host);
  CHECK(header_id("TRANSFER-ENCODING") == HeaderId::transfer_encoding);
  CHECK(header_id("content-length") == HeaderId::content_length);
  CHECK(header_id("Content-Type") == HeaderId::content_type);
  CHECK(header_id("cOOKIE") == HeaderId::cookie);
  CHECK(header_id("expect") == HeaderId::expect);
  CHECK(header_id("server") == HeaderId::server);
  CHECK(header_id("Date") == HeaderId::date);
  CHECK(header_id("ETag") == HeaderId::etag);
  CHECK(header_id("Connection") == HeaderId::connection);
  for (const char* other :
       {"Hos", "Hostt", "H0st", "ContentXLength", "Content_Length", "X", "transfer-encodin"})
    CHECK(header_id(other) == HeaderId::other);
}

TEST_CASE("header blocks are read line by line (HUT-10 to HUT-14)", "[headers]") {
  const auto parse = [](std::string_view block) {
    Headers headers;
    REQUIRE(parse_header_lines(block, headers) == "");
    return lines(headers);
  };
  using Lines = std::vector<std::string>;
  CHECK(parse("foo: 1\r\nFOO: 2\n") == Lines{"foo=1", "FOO=2"});
  CHECK(parse("A: 1\r\n b\r\n\tc  \r\n") == Lines{"A=1 b c"});
  CHECK(parse("A:") == Lines{"A="});
  CHECK(parse("A:\r\n b") == Lines{"A= b"});
  CHECK(parse("\r\nA: x: y \t\r\n\r\n\nB:2") == Lines{"A=x: y", "B=2"});
  // Latin-1's line separators and spaces are data (SEC-06).
  CHECK(parse("A: \x85x\xa0\r\n") == Lines{"A=\x85x\xa0"});
  CHECK(parse("") == Lines{});
}

TEST_CASE("malformed header blocks are refused (HUT-04, HUT-10 to HUT-13, SEC-07, SEC-08)", "[headers]") {
  using namespace std::string_literals;
  const auto fault = [](std::string_view block) {
    Headers headers;
    return parse_header_lines(block, headers);
  };
  for (const std::string& name : {"A B: x"s, ": x"s, "Host : a"s, "\xe9: 1"s, "A: 1\r\n(: 1"s})
    CHECK(fault(name) == "Invalid header name");
  for (const std::string& value : {"A: \x7f"s, "A: \0"s, "A: a\rb"s, "A: 1\r\n b\rc"s, "A: \r\r\n"s})
    CHECK(fault(value) == "Invalid header value");
  CHECK(fault("no colon") == "no colon in header line");
  CHECK(fault(" A: 1") == "first header line cannot start with whitespace");
}

TEST_CASE("headers are compared without regard to the case of names", "[headers]") {
  Headers a;
  a.add("Host", "h");
  a.add("X", "1");
  Headers b = a;
  CHECK(a == b);
  b.set("host", "h");
  b.remove("x");
  b.add("x", "1");
  CHECK(a == b);
  b.set("X", "2");
  CHECK_FALSE(a == b);
  b.set("X", "1");
  b.add("X", "1");
  CHECK_FALSE(a == b);
}

TEST_CASE("a hundred thousand fields of one name take linear time (HUT-05, SEC-15)", "[headers]") {
  std::string block;
  for (int i = 0; i < 100'000; ++i) block += "A: b\r\n";
  Headers headers;
  CHECK(parse_header_lines("X: 1\r\n" + block + "Y: 2\r\n" + block, headers).empty());
  CHECK(headers.get("a").size() == 200'000 * 3 - 2);
  CHECK(headers.get_list("A").size() == 200'000);
  Headers copy = headers;
  copy.set("A", "one");
  CHECK(lines(copy) == std::vector<std::string>{"X=1", "A=one", "Y=2"});
  CHECK(headers.remove("A"));
  CHECK(headers.text() == "X: 1\r\nY: 2\r\n");
  std::string folded = "A: 1\r\n";
  for (int i = 0; i < 100'000; ++i) folded += " b\r\n";
  headers.clear();
  CHECK(parse_header_lines(folded, headers).empty());
  CHECK(headers.find("A")->size() == 200'001);
}

TEST_CASE("random changes agree with a list of pairs", "[headers]") {
  std::mt19937 random(3);
  const std::vector<std::string> names = {"Host", "A", "b", "Date", "X-Long-Name"};
  Headers headers;
  std::vector<std::pair<std::string, std::string>> model;
  for (int step = 0; step < 5000; ++step) {
    const std::string& name = names[random() % names.size()];
    const std::string value(random() % 20, 'v');
    switch (random() % 4) {
      case 0:
        headers.add(name, value);
        model.emplace_back(name, value);
        break;
      case 1: {
        headers.set(name, value);
        bool first = true;
        for (auto it = model.begin(); it != model.end();) {
          if (it->first != name) {
            ++it;
          } else if (std::exchange(first, false)) {
            (it++)->second = value;
          } else {
            it = model.erase(it);
          }
        }
        if (first) model.emplace_back(name, value);
        break;
      }
      case 2:
        headers.remove(name);
        std::erase_if(model, [&](const auto& pair) { return pair.first == name; });
        break;
      case 3:
        if (random() % 10 == 0) {
          headers.clear();
          model.clear();
        }
        break;
    }
    std::string text;
    for (const auto& [key, kept] : model) text += key + ": " + kept + "\r\n";
    REQUIRE(headers.text() == text);
    const auto first =
        std::find_if(model.begin(), model.end(), [&](const auto& pair) { return pair.first == name; });
    REQUIRE(headers.find(name).has_value() == (first != model.end()));
    if (first != model.end()) REQUIRE(*headers.find(name) == first->second);
  }
}

}  // namespace
}  // namespace squall::http::headers_test
