#include <squall/http/headers.h>

#include <random>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http {
namespace {

std::vector<std::string> lines(const Headers& headers) {
  std::vector<std::string> result;
  for (const auto [name, value] : headers) result.push_back(std::string(name) + "=" + std::string(value));
  return result;
}

TEST_CASE("fields are found whatever the case of their names, and keep their spelling and order (HUT-01)",
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

TEST_CASE("set replaces all of a name in the first one's place", "[headers]") {
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

TEST_CASE("remove takes all of a name away", "[headers]") {
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

TEST_CASE("what could split a response is refused and changes nothing (SEC-30, SEC-32)", "[headers]") {
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

TEST_CASE("header_id knows its names in any case, and no others", "[headers]") {
  CHECK(header_id("Host") == HeaderId::host);
  CHECK(header_id("TRANSFER-ENCODING") == HeaderId::transfer_encoding);
  CHECK(header_id("content-length") == HeaderId::content_length);
  CHECK(header_id("Content-Type") == HeaderId::content_type);
  CHECK(header_id("cOOKIE") == HeaderId::cookie);
  CHECK(header_id("expect") == HeaderId::expect);
  CHECK(header_id("server") == HeaderId::server);
  CHECK(header_id("Date") == HeaderId::date);
  CHECK(header_id("Connection") == HeaderId::connection);
  for (const char* other :
       {"Hos", "Hostt", "H0st", "ContentXLength", "Content_Length", "X", "transfer-encodin"})
    CHECK(header_id(other) == HeaderId::other);
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
}  // namespace squall::http
