#include <squall/options/config_text.h>

#include <squall/options/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::options::config_text_test {
namespace {

// The entries, `line:name=[values]` each.
std::vector<std::string> read(std::string_view text) {
  std::vector<std::string> result;
  for (const ConfigEntry& entry : parse_config(text, "shop.conf", "/etc/shop.conf"))
    result.push_back(
        fmt::format("{}:{}={}{}", entry.line, entry.name, entry.is_list ? "list" : "", entry.values));
  return result;
}

std::string problem(std::string_view text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

using Lines = std::vector<std::string>;

TEST_CASE("a config file has a line `name = value` for each option (OPT-09)", "[options]") {
  CHECK(read("") == Lines{});
  CHECK(read("port = 8888\n") == Lines{R"(1:port=["8888"])"});
  CHECK(read("a=1\r\n\r\n  b =  two words  \nc=") ==
        Lines{R"(1:a=["1"])", R"(3:b=["two words"])", R"(4:c=[""])"});
  CHECK(read("\xef\xbb\xbf# comment\n\t# comment\nlog_file-prefix2 = /var/log/Größe # comment\n") ==
        Lines{R"(3:log_file-prefix2=["/var/log/Größe"])"});
  CHECK(read("a = b#c\nd = #e") == Lines{R"(1:a=["b#c"])", R"(2:d=[""])"});
  CHECK(read("a = x=y\nb = a,b") == Lines{R"(1:a=["x=y"])", R"(2:b=["a,b"])"});
}

TEST_CASE("strings may stand in quotes, with escapes in double ones (OPT-09)", "[options]") {
  CHECK(parse_config(R"(a = "x \"y\" \\ \n\r\t\$# " # comment)", "f", "/f")[0].values[0] ==
        "x \"y\" \\ \n\r\t$# ");
  CHECK(parse_config(R"(a = '\d+ "x" ${config_dir}')", "f", "/f")[0].values[0] == R"(\d+ "x" ${config_dir})");
  CHECK(parse_config(R"(a = '' )", "f", "/f")[0].values[0] == "");
}

TEST_CASE("a list stands in brackets, over as many lines as needed (OPT-09)", "[options]") {
  CHECK(read("a = []") == Lines{"1:a=list[]"});
  CHECK(read("a = [1,2]\nb = [ \"x,y\" , 'z' , two words,]") ==
        Lines{R"(1:a=list["1", "2"])", R"(2:b=list["x,y", "z", "two words"])"});
  CHECK(read("a = [ # one\n  1,\n\n  2 # two\n]\nb = 3") == Lines{R"(1:a=list["1", "2"])", R"(6:b=["3"])"});
}

TEST_CASE("the path of the file and of its folder are variables (OPT-09)", "[options]") {
  CHECK(read("a = ${config_dir}/pages") == Lines{R"(1:a=["/etc/pages"])"});
  CHECK(read("a = [\"${config_file}.bak\"]") == Lines{R"(1:a=list["/etc/shop.conf.bak"])"});
  CHECK(parse_config("a = ${config_dir}x", "f", "/f")[0].values[0] == "/x");
  CHECK(read("a = $1 $ \\$") == Lines{"1:a=[\"$1 $ \\\\$\"]"});
}

TEST_CASE("an error in a config file names the file and the line (OPT-09)", "[options]") {
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"\n= 1", "shop.conf:2: expected a line such as `name = value`, not '='"},
           {"€ = 1", "shop.conf:1: expected a line such as `name = value`, not '€'"},
           {"port 80", "shop.conf:1: expected `=` after the name port"},
           {"import os\nport = 80", "shop.conf:1: expected `=` after the name import"},
           {"port", "shop.conf:1: expected `=` after the name port"},
           {"a = \"x\" y", "shop.conf:1: unexpected 'y' after the value"},
           {"a = [1] x", "shop.conf:1: unexpected 'x' after the value"},
           {"a = 'x", "shop.conf:1: the string has no closing '"},
           {"a = 'x\nb'", "shop.conf:1: the string has no closing '"},
           {"a = \"x\n\"", "shop.conf:1: the string has no closing \""},
           {"a = \"x\\", "shop.conf:1: after a backslash, expected one of \" \\ n r t $"},
           {"a = \"\\x41\"", "shop.conf:1: after a backslash, expected one of \" \\ n r t $"},
           {"a = \"\\\n\"", "shop.conf:1: after a backslash, expected one of \" \\ n r t $"},
           {"\na = [1,\n2\n", "shop.conf:4: the list that begins in line 2 has no `]`"},
           {"a = [1,,2]", "shop.conf:1: expected a value or `]`, not ','"},
           {"a = [[1]]", "shop.conf:1: expected a value or `]`, not '['"},
           {"a = [1\nb = 2]", "shop.conf:2: expected `,` or `]`, not 'b'"},
           {"a = ${x", "shop.conf:1: `${` without `}`"},
           {"a = ${HOME}", "shop.conf:1: there is no variable 'HOME', only config_file and config_dir"},
           {"a = 1\nb = \xff", "shop.conf:2: the text is not UTF-8"},
           {std::string_view("a = 1\nb = \0", 11), "shop.conf:2: the control character \\x00"},
           {"a = \x1b[2J", "shop.conf:1: the control character \\x1b"},
           {"a = 1\rb = 2", "shop.conf:1: the control character \\x0d"},
       }) {
    INFO(text);
    CHECK(problem(text) == expected);
  }
}

TEST_CASE("a config file has at most 1000 variables, whose text may be long", "[options]") {
  std::string text = "a = ";
  for (int i = 0; i < 1000; ++i) text += "${config_dir}";
  CHECK(problem(text) == "none");
  CHECK(problem(text + "${config_dir}") == "shop.conf:1: there are more than 1000 variables");
}

TEST_CASE("reading a config file takes linear time", "[options]") {
  const auto work = [](std::string_view unit, std::string_view head = "") {
    return testing::growth(5'000, [&](std::size_t count) {
      std::string text(head);
      for (std::size_t i = 0; i < count; ++i) text += unit;
      problem(text);
    });
  };
  CHECK(work("a = 1\n") < testing::kMostLinearGrowth);
  CHECK(work("1,", "a = [") < testing::kMostLinearGrowth);
  CHECK(work(" #", "a = \"") < testing::kMostLinearGrowth);
  CHECK(work(" ", "a = b") < testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::options::config_text_test
