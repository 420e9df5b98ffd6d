#include <squall/options/argument_reader.h>

#include <optional>
#include <string>
#include <vector>

#include "options/parsed.h"
#include "support/catch.h"

namespace squall::options::argument_reader_test {
namespace {

using Words = std::vector<std::string>;

// A parser with an option of each shape.
struct Shop {
  OptionParser parser;
  Option<int> port = parser.define("port", 8888);
  Option<std::string> log_file = parser.define("log_file", "");
  Option<bool> debug = parser.define("debug", false);
  Option<std::optional<bool>> color = parser.define("color", std::optional<bool>());
  Option<std::vector<int>> ids = parser.define("ids", std::vector<int>());
  Option<std::vector<std::string>> tls = parser.define("tls", Words()).words(1, 2);
};

TEST_CASE("an option is --name=value, with one or two dashes, or --name value (OPT-03)", "[options]") {
  Shop shop;
  CHECK(parse(shop.parser, {{"--port=80", "-log_file=a=b"}}).empty());
  CHECK(*shop.port == 80);
  CHECK(*shop.log_file == "a=b");
  parse(shop.parser, {{"--port", "81", "--log_file="}});
  CHECK(*shop.port == 81);
  CHECK(*shop.log_file == "");
  parse(shop.parser, {{"--port", "-5", "--log_file", "-"}});
  CHECK(*shop.port == -5);
  CHECK(*shop.log_file == "-");
}

TEST_CASE("`-` and `_` are the same in names (OPT-02)", "[options]") {
  Shop shop;
  parse(shop.parser, {{"--log-file=a"}});
  CHECK(*shop.log_file == "a");
  parse(shop.parser, {{"--log_file=b"}});
  CHECK(*shop.log_file == "b");
}

TEST_CASE("a bool without a value is true, and takes no argument (OPT-03)", "[options]") {
  Shop shop;
  CHECK(parse(shop.parser, {{"--debug", "--color", "false"}}) == Words{"false"});
  CHECK(*shop.debug);
  CHECK(*shop.color == true);
  parse(shop.parser, {{"--debug=false", "--no-color"}});
  CHECK_FALSE(*shop.debug);
  CHECK(*shop.color == false);
  parse(shop.parser, {{"--no_color", "--debug=no"}});
  CHECK(*shop.debug);
}

TEST_CASE("an option without its value is an error (OPT-03)", "[options]") {
  Shop shop;
  CHECK(problem(shop.parser, {{"--port"}}) == "Option --port requires a value");
  CHECK(problem(shop.parser, {{"--log_file", "--debug"}}) == "Option --log-file requires a value");
  CHECK(problem(shop.parser, {{"--tls", "--debug"}}) == "Option --tls requires a value");
  shop.parser.define("pair", Words()).words(2, 2);
  CHECK(problem(shop.parser, {{"--pair", "a"}}) == "Option --pair requires 2 values");
  CHECK_FALSE(*shop.debug);
}

TEST_CASE("an unknown option is an error that names it (OPT-04)", "[options]") {
  Shop shop;
  CHECK(problem(shop.parser, {{"--prot=80"}}) == "Unrecognized command line option: '--prot'");
  CHECK(problem(shop.parser, {{"-x"}}) == "Unrecognized command line option: '-x'");
  CHECK(problem(shop.parser, {{"--no-port"}}) == "Unrecognized command line option: '--no-port'");
  CHECK(problem(shop.parser, {{"--no-debug=1"}}) == "Unrecognized command line option: '--no-debug'");
  CHECK(problem(shop.parser, {{"--version"}}) == "Unrecognized command line option: '--version'");
  CHECK(problem(shop.parser, {{"--help=x"}}) == "Unrecognized command line option: '--help'");
  CHECK(problem(shop.parser, {{"---"}}) == "Unrecognized command line option: '---'");
}

TEST_CASE("a wrong value is an error that names the option, which keeps its value", "[options]") {
  Shop shop;
  CHECK(problem(shop.parser, {{"--port=http"}}) == "--port: 'http' is not an integer");
  CHECK(*shop.port == 8888);
  CHECK(problem(shop.parser, {{"--ids=1,x"}}) == "--ids: 'x' is not an integer");
  CHECK(shop.ids->empty());
}

TEST_CASE("options end at -- and at the first other word (OPT-03)", "[options]") {
  Shop shop;
  CHECK(parse(shop.parser, {{"--port=1", "a", "--port=2"}}) == Words{"a", "--port=2"});
  CHECK(*shop.port == 1);
  CHECK(parse(shop.parser, {{"--", "--port=3"}}) == Words{"--port=3"});
  CHECK(parse(shop.parser, {{"-", "--port=3"}}) == Words{"-", "--port=3"});
  CHECK(*shop.port == 1);
}

TEST_CASE("no arguments, not even a program name, set nothing", "[options]") {
  Shop shop;
  CHECK(shop.parser.parse_command_line(0, nullptr).empty());
  CHECK(*shop.port == 8888);
}

TEST_CASE("a list has commas, and an option that is given again adds to it (OPT-05)", "[options]") {
  Shop shop;
  parse(shop.parser, {{"--ids=1:3,7", "--ids", "9"}});
  CHECK(*shop.ids == std::vector{1, 2, 3, 7, 9});
  parse(shop.parser, {{"--ids=4, 5"}});
  CHECK(*shop.ids == std::vector{4, 5});
  parse(shop.parser, {{"--ids="}});
  CHECK(shop.ids->empty());
  CHECK(problem(shop.parser, {{"--ids=1,"}}) == "--ids: '' is not an integer");
}

TEST_CASE("an option may be followed by several words, which have no commas", "[options]") {
  Shop shop;
  parse(shop.parser, {{"--tls", "a,b.pem", "key.pem", "--debug"}});
  CHECK(*shop.tls == Words{"a,b.pem", "key.pem"});
  CHECK(*shop.debug);
  parse(shop.parser, {{"--tls", "one.pem", "--debug"}});
  CHECK(*shop.tls == Words{"one.pem"});
  CHECK(parse(shop.parser, {{"--tls", "a", "b", "c"}}) == Words{"c"});
  parse(shop.parser, {{"--tls=c.pem,k.pem"}});
  CHECK(*shop.tls == Words{"c.pem", "k.pem"});
}

TEST_CASE("an option may have a short name", "[options]") {
  OptionParser parser;
  const auto output = parser.define("output", "").short_name('o');
  parse(parser, {{"-o", "file"}});
  CHECK(*output == "file");
  parse(parser, {{"-o=other"}});
  CHECK(*output == "other");
  CHECK(problem(parser, {{"--o=x"}}) == "Unrecognized command line option: '--o'");
}

TEST_CASE("positional arguments may stand before, behind and between options", "[options]") {
  OptionParser parser;
  std::string url;
  std::vector<std::string> files;
  parser.bind_argument("url", url).required();
  parser.bind_argument("files", files);
  const auto debug = parser.define("debug", false);
  CHECK(parse(parser, {{"http://a", "--debug", "x,y", "--", "--z"}}).empty());
  CHECK(url == "http://a");
  CHECK(files == Words{"x,y", "--z"});
  CHECK(*debug);
  CHECK(problem(parser, {{"--url=x"}}) == "Unrecognized command line option: '--url'");
}

TEST_CASE("words that no positional argument takes are returned", "[options]") {
  OptionParser parser;
  int port = 0;
  parser.bind_argument("port", port);
  CHECK(parse(parser, {{"80", "more"}}) == Words{"more"});
  CHECK(port == 80);
  CHECK(problem(parser, {{"http"}}) == "port: 'http' is not an integer");
}

TEST_CASE("an option or argument that is required must be set, at the final parse (OPT-10)", "[options]") {
  OptionParser parser;
  std::string url;
  parser.bind_argument("url", url).required();
  parser.define("port", 0).required();
  CHECK(problem(parser, {{}}) == "Option --port is required");
  CHECK(problem(parser, {{"--port=0"}}) == "Argument url is required");
  CHECK(problem(parser, {{}}, Final::no) == "none");
  CHECK(problem(parser, {{"a"}}) == "none");
}

TEST_CASE("an option may need another one", "[options]") {
  OptionParser parser;
  const auto user = parser.define("user", "");
  const auto password = parser.define("password", "").needs(user);
  CHECK(problem(parser, {{"--password=x"}}) == "Option --password requires --user");
  CHECK(problem(parser, {{"--user=a", "--password=x"}}) == "none");
  CHECK(*password == "x");
}

TEST_CASE("a program with commands takes exactly one, with its own options", "[options]") {
  OptionParser parser("shop");
  parser.define("debug", false);
  OptionParser& serve = parser.command("serve", "serves");
  serve.define("port", 0);
  OptionParser& send = parser.command("send", "sends");
  std::vector<std::string> files;
  send.bind_argument("files", files);
  CHECK(problem(parser, {{}}) == "A command is required: serve or send");
  CHECK(problem(parser, {{"--debug"}}) == "A command is required: serve or send");
  CHECK(problem(parser, {{"sell"}}) == "Unrecognized command: 'sell'");
  CHECK(problem(parser, {{"--port=1", "serve"}}) == "Unrecognized command line option: '--port'");
  CHECK(problem(parser, {{"send", "--port=1"}}) == "Unrecognized command line option: '--port'");
}

TEST_CASE("the chosen command gets the words behind it", "[options]") {
  OptionParser parser("shop");
  const auto debug = parser.define("debug", false);
  OptionParser& serve = parser.command("serve", "serves");
  const auto port = serve.define("port", 0);
  OptionParser& send = parser.command("send", "sends");
  CHECK(parse(parser, {{"--debug", "serve", "--port=1", "rest"}}) == Words{"rest"});
  CHECK(*debug);
  CHECK(*port == 1);
  CHECK(serve.is_chosen());
  CHECK_FALSE(send.is_chosen());
}

TEST_CASE("required options of the program and of its command are checked", "[options]") {
  OptionParser parser("shop");
  parser.define("key", "").required();
  parser.command("serve", "serves").define("port", 0).required();
  parser.command("wait", "waits");
  CHECK(problem(parser, {{"wait"}}) == "Option --key is required");
  CHECK(problem(parser, {{"--key=a", "serve"}}) == "Option --port is required");
}

}  // namespace
}  // namespace squall::options::argument_reader_test
