#include <squall/web/escape/reference_names.h>
#include <squall/web/escape/xhtml.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::xhtml_test {
namespace {

TEST_CASE("five characters are escaped (ESC-01)", "[xhtml]") {
  CHECK(xhtml_escape("<a href=\"x\">'&'</a>") == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;&#x27;&lt;/a&gt;");
  CHECK(xhtml_escape("&amp;") == "&amp;amp;");
  CHECK(xhtml_escape("").empty());
  std::string html = "before ";
  append_xhtml_escaped(html, "<b>");
  CHECK(html == "before &lt;b&gt;");
}

TEST_CASE("an escaped text cannot leave an attribute's quotes (SEC-35)", "[xhtml]") {
  CHECK(xhtml_escape("' onload='").find('\'') == std::string::npos);
  CHECK(xhtml_escape("\" onload=\"").find('"') == std::string::npos);
}

TEST_CASE("a special character is escaped at each place, and no other byte is (ESC-01)", "[xhtml]") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (std::size_t size = 1; size < 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = c;
        std::string expected(at, 'x');
        switch (c) {
          case '&': expected += "&amp;"; break;
          case '<': expected += "&lt;"; break;
          case '>': expected += "&gt;"; break;
          case '"': expected += "&quot;"; break;
          case '\'': expected += "&#x27;"; break;
          default: expected += c;
        }
        expected.append(size - at - 1, 'x');
        if (xhtml_escape(text) != expected) FAIL("byte " << byte << " at " << at << " of " << size);
      }
    }
  }
}

TEST_CASE("an escaped text is read back (ESC-02)", "[xhtml]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(xhtml_unescape(xhtml_escape(all)) == all);
  CHECK(xhtml_unescape(xhtml_escape("&amp;lt;")) == "&amp;lt;");
}

TEST_CASE("references by name become characters, and the longest name wins (ESC-02)", "[xhtml]") {
  CHECK(xhtml_unescape("&lt;&gt;&amp;&quot;&apos;") == "<>&\"'");
  CHECK(xhtml_unescape("&eacute;&Eacute;&hearts;") == "\xC3\xA9\xC3\x89\xE2\x99\xA5");
  CHECK(xhtml_unescape("&CounterClockwiseContourIntegral;") == "\xE2\x88\xB3");
  CHECK(xhtml_unescape("&nvlt;") == "<\xE2\x83\x92");
  CHECK(xhtml_unescape("&AElig;&zwnj;") == "\xC3\x86\xE2\x80\x8C");
  CHECK(xhtml_unescape("&notin;") == "\xE2\x88\x89");
  CHECK(xhtml_unescape("&notit;") == "\xC2\xACit;");
}

TEST_CASE("older names need no semicolon, others do (ESC-02)", "[xhtml]") {
  CHECK(xhtml_unescape("a&ltb&ampc") == "a<b&c");
  CHECK(xhtml_unescape("&frac12x") == "\xC2\xBDx");
  CHECK(xhtml_unescape("&amp") == "&");
  CHECK(xhtml_unescape("&hearts &apos") == "&hearts &apos");
}

TEST_CASE("references by number become characters (ESC-02; HTML, 13.2.5.80)", "[xhtml]") {
  CHECK(xhtml_unescape("&#60;&#x3c;&#X3C;&#0060;") == "<<<<");
  CHECK(xhtml_unescape("&#60&#x3cz") == "<<z");
  CHECK(xhtml_unescape("&#233;&#x1F600;") == "\xC3\xA9\xF0\x9F\x98\x80");
  CHECK(xhtml_unescape("&#128;&#x9f;&#x81;") == "\xE2\x82\xAC\xC5\xB8\xC2\x81");
  const std::string unknown = "\xEF\xBF\xBD";
  for (const char* text : {"&#0;", "&#xD800;", "&#x110000;", "&#99999999999999999999;", "&#x100000041;"})
    CHECK(xhtml_unescape(text) == unknown);
}

TEST_CASE("an ampersand without a reference is unchanged (ESC-02)", "[xhtml]") {
  for (const char* text : {"&", "a & b", "&;", "&#;", "&#x;", "&#xg;", "&#", "&nosuchname;", "&&", "& lt;",
                           "&\xC3\xA9;", "&l", "&A;"})
    CHECK(xhtml_unescape(text) == text);
}

TEST_CASE("every name of the table is found (ESC-02)", "[xhtml]") {
  std::string_view entries = detail::kReferenceNames;
  int count = 0;
  int older = 0;
  std::string_view last;
  while (!entries.empty()) {
    const std::string_view entry = entries.substr(0, entries.find(' '));
    entries.remove_prefix(entry.size() + 1);
    const std::size_t size = entry.find_first_of("=*");
    const std::string_view name = entry.substr(0, size);
    INFO(name);
    ++count;
    older += entry[size] == '*' ? 1 : 0;
    REQUIRE(last < name);
    last = name;
    const std::string reference = "&" + std::string(name) + ";";
    REQUIRE(xhtml_unescape(reference) != reference);
    REQUIRE(xhtml_unescape(reference).find(';') == (name == "semi" ? 0 : std::string::npos));
  }
  CHECK(count == 2125);
  CHECK(older == 106);
}

}  // namespace
}  // namespace squall::web::xhtml_test
