#include <squall/web/escape/linkify.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::linkify_test {
namespace {

std::string link(std::string_view url) {
  const std::string text(url);
  return "<a href=\"" + text + "\">" + text + "</a>";
}

TEST_CASE("URLs become links (ESC-09)", "[linkify]") {
  CHECK(linkify("Hello http://tornadoweb.org!") == "Hello " + link("http://tornadoweb.org") + "!");
  CHECK(linkify("a & http://x.com/?a=1&b=2 <b>") ==
        "a &amp; " + link("http://x.com/?a=1&amp;b=2") + " &lt;b&gt;");
  CHECK(linkify("<http://x.org>") == "&lt;" + link("http://x.org") + "&gt;");
  CHECK(linkify("http://x.com/'quoted'") == link("http://x.com/") + "&#x27;quoted&#x27;");
  CHECK(linkify("say \"http://x.com/\"") == "say &quot;" + link("http://x.com/") + "&quot;");
  CHECK(linkify("http:/x.com http:///x.com") == link("http:/x.com") + " " + link("http:///x.com"));
  CHECK(linkify("") == "");
  CHECK(linkify("no links & <tags>") == "no links &amp; &lt;tags&gt;");
}

TEST_CASE("closing punctuation is no part of a link (ESC-09)", "[linkify]") {
  CHECK(linkify("http://a.com,http://b.com.") == link("http://a.com,http://b.com") + ".");
  CHECK(linkify("http://x.com/a?! http://y.com...") ==
        link("http://x.com/a") + "?! " + link("http://y.com") + "...");
  CHECK(linkify("http://x.com/_-/") == link("http://x.com/_-/"));
}

TEST_CASE("a link has balanced parentheses (ESC-09)", "[linkify]") {
  CHECK(linkify("(http://x.com/a_(b))") == "(" + link("http://x.com/a_(b)") + ")");
  CHECK(linkify("http://x.com/(a)(b)c (d)") == link("http://x.com/(a)(b)c") + " (d)");
  CHECK(linkify("http://x.com/(a") == link("http://x.com/") + "(a");
  CHECK(linkify("http://(x)") == link("http://(x)"));
  CHECK(linkify("http://x.(y)") == link("http://x") + ".(y)");
}

TEST_CASE("www. begins a link to http (ESC-09)", "[linkify]") {
  CHECK(linkify("wwwx.com www.x.com/ (www.y.com)") ==
        "wwwx.com <a href=\"http://www.x.com/\">www.x.com/</a> "
        "(<a href=\"http://www.y.com\">www.y.com</a>)");
  CHECK(linkify("awww.x.com _www.x.com Www.x.com www. www.!") ==
        "awww.x.com _www.x.com Www.x.com www. www.!");
  CHECK(linkify("a-www.x.com") == "a-<a href=\"http://www.x.com\">www.x.com</a>");
  LinkifyOptions options;
  options.require_protocol = true;
  CHECK(linkify("www.foo.com http://x.com", options) == "www.foo.com " + link("http://x.com"));
}

TEST_CASE("only permitted protocols become links, compared by case (ESC-09)", "[linkify]") {
  for (const char* text :
       {"javascript://x.com", "mailto:joe@x.org", "HTTP://UPPER.COM", "ahttp://x.com",
        "javascript:/www.x.com", "http:x.com", "http:/ x", "http:/", "http:/.", "://x.com", "--://x.com"})
    CHECK(linkify(text) == text);
  // A slash may be all of a URL behind its prefix.
  CHECK(linkify("http://") == link("http://"));
  LinkifyOptions options;
  options.permitted_protocols = {"ftp", "x-y"};
  CHECK(linkify("ftp://a http://b x-y:/c --ftp://d", options) ==
        link("ftp://a") + " http://b " + link("x-y:/c") + " --" + link("ftp://d"));
  CHECK(linkify("www.a.com", options) == "<a href=\"http://www.a.com\">www.a.com</a>");
  options.permitted_protocols = {};
  CHECK(linkify("http://a.com", options) == "http://a.com");
}

TEST_CASE("characters outside ASCII may be in links, spaces end them (ESC-09)", "[linkify]") {
  const std::string url = "http://\xE4\xBE\x8B\xE3\x81\x88.jp/\xE3\x83\x91\xE3\x82\xB9";
  CHECK(linkify(url) == link(url));
  // U+3000 and U+00A0 are spaces.
  CHECK(linkify("http://a.com\xE3\x80\x80"
                "b\xC2\xA0http://c.com") == link("http://a.com") +
                                                "\xE3\x80\x80"
                                                "b\xC2\xA0" +
                                                link("http://c.com"));
}

TEST_CASE("a URL begins behind punctuation, not within a word, of any language (ESC-09)", "[linkify]") {
  // An arrow, a corner bracket and a quote are no letters.
  for (const std::string before : {"\xE2\x86\x92", "\xE3\x80\x8C", "\xE2\x80\x9C", "\xEF\xBC\x9A"}) {
    CHECK(linkify(before + "http://a.com") == before + link("http://a.com"));
    CHECK(linkify(before + "www.a.com") == before + "<a href=\"http://www.a.com\">www.a.com</a>");
  }
  for (const std::string before : {"\xC3\xA9", "\xE8\xA6\x8B", "\xC3\xA9-"}) {
    CHECK(linkify(before + "http://a.com/www.b.com") == before + "http://a.com/www.b.com");
  }
  CHECK(linkify("\xC3\xA9www.a.com") == "\xC3\xA9www.a.com");
  CHECK(linkify("\xC3\xA9:/www.a.com") == "\xC3\xA9:/www.a.com");
}

TEST_CASE("bytes that are not UTF-8 stay as they are", "[linkify]") {
  for (const std::string text : {"\xFF", "http://\x80", "\xC3http://a\xE3\x80", "\xE3\x81www.\xF0"}) {
    std::string bare;
    bool is_tag = false;
    for (const char c : linkify(text)) {
      if (c == '<') is_tag = true;
      if (!is_tag) bare += c;
      if (c == '>') is_tag = false;
    }
    CHECK(bare == text);
  }
}

TEST_CASE("links have further attributes, by text or by function (ESC-09)", "[linkify]") {
  LinkifyOptions options;
  options.extra_params = "  rel=\"nofollow\" class=\"external\" ";
  CHECK(linkify("www.external-link.com", options) ==
        "<a href=\"http://www.external-link.com\" rel=\"nofollow\" "
        "class=\"external\">www.external-link.com</a>");
  options.extra_params_for = [](std::string_view href) {
    return href.starts_with("http://www.in.com") ? std::string() : " data-to=\"" + std::string(href) + "\" ";
  };
  CHECK(linkify("www.in.com http://x.com/?a&b", options) ==
        "<a href=\"http://www.in.com\">www.in.com</a> <a href=\"http://x.com/?a&amp;b\" "
        "data-to=\"http://x.com/?a&amp;b\">http://x.com/?a&amp;b</a>");
}

// The text of the only link, if it has a title with the target.
std::string shortened(std::string_view url) {
  LinkifyOptions options;
  options.shorten = true;
  const std::string html = linkify(url, options);
  const std::size_t href = html.find('"') + 1;
  const std::string target = html.substr(href, html.find('"', href) - href);
  const std::size_t text = html.find('>') + 1;
  const bool has_title = html.find(" title=\"" + target + "\"") != std::string::npos;
  return (has_title ? "" : "whole: ") + html.substr(text, html.find("</a>") - text);
}

TEST_CASE("the text of a long URL has its host and the first of its path (ESC-10)", "[linkify]") {
  CHECK(shortened("http://www.tornadoweb.org/") == "whole: http://www.tornadoweb.org/");
  CHECK(shortened("http://www.tornadoweb.org/documentation/web.html") ==
        "http://www.tornadoweb.org/document...");
  CHECK(shortened("http://www.tornadoweb.org/a.b/cccccccccccc") == "http://www.tornadoweb.org/a...");
  CHECK(shortened("http://www.tornadoweb.org/a?b/cccccccccccc") == "http://www.tornadoweb.org/a...");
  CHECK(shortened("www.tornadoweb.org/documentation/web.html") == "www.tornadoweb.org/document...");
  CHECK(shortened("http://123456789.example/") == "whole: http://123456789.example/");
  // Above 45 characters the text has 30.
  CHECK(shortened("http://12345678901234567890123456789012345678901234567890.com/") ==
        "http://12345678901234567890123...");
  CHECK(shortened("http://12345678901234567890123456789012345.com?abcdefghijklm") ==
        "http://12345678901234567890123...");
  // Not shorter with the dots.
  CHECK(shortened("http://www.example.com/abcdefgh?i") == "whole: http://www.example.com/abcdefgh?i");
  CHECK(shortened("http://www.example.com/abcdefgh?ij") == "whole: http://www.example.com/abcdefgh?ij");
  CHECK(shortened("http://www.example.com/abcdefgh?ijk") == "http://www.example.com/abcdefgh...");
}

TEST_CASE("the text of a long URL splits no reference and no character (ESC-10)", "[linkify]") {
  // At 8 characters of the path.
  CHECK(shortened("http://example.com/abcdef&ghijklmnop") == "http://example.com/abcdef...");
  CHECK(shortened("http://example.com/abc&defghijklmnop") == "http://example.com/abc&amp;...");
  // At 30 characters of the URL: from the 26th on, a whole reference is removed too.
  CHECK(shortened("http://123456789012345678?\"0123456789012345678901234567890") ==
        "http://123456789012345678?...");
  CHECK(shortened("http://1234567890123456789&012345678901234567890123456789") ==
        "http://1234567890123456789...");
  CHECK(shortened("http://example.com/\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
                  "abcdefgh") ==
        "http://example.com/\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9...");
}

TEST_CASE("linkify takes linear time (ESC-09)", "[linkify]") {
  for (const std::string_view unit :
       {"(",   ")",    "www.(", "http://(", "http://a(", "a:/(",         "www.www.", "http://",          "w-",
        ".",   "a.(b", "&",     "www.!",    "a:/!",      "\xE3\x80\x8C", "\xC3\xA9", "http://x.com/(a)", "-",
        "-:/", "(((a)"}) {
    INFO(unit);
    std::string text;
    while (text.size() < 200'000) text += unit;
    const auto begun = std::chrono::steady_clock::now();
    CHECK(linkify("www." + text).size() >= text.size());
    // A quadratic search takes a minute.
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
  }
}

}  // namespace
}  // namespace squall::web::linkify_test
