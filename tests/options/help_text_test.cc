#include <squall/options/help_text.h>

#include <optional>
#include <string>
#include <vector>

#include "options/parsed.h"
#include "support/catch.h"

namespace squall::options::help_text_test {
namespace {

TEST_CASE("the help has the usage, the options in order and the groups in order (OPT-13)", "[options]") {
  OptionParser parser("shop", "Sells things.");
  parser.define("port", 8888, "port to serve on");
  parser.define("address", "", "address to serve on; all interfaces without it");
  parser.define("log_file_prefix", "", "a log file").metavar("PATH").group("Logging");
  parser.define("debug", false, "shows errors in the browser").group("Development");
  CHECK(parser.help_text() ==
        "Usage: shop [OPTIONS]\n"
        "\n"
        "Sells things.\n"
        "\n"
        "Options:\n"
        "\n"
        "  --address=TEXT                   address to serve on; all interfaces without\n"
        "                                   it\n"
        "  --help                           show this help information\n"
        "  --port=NUMBER                    port to serve on (default 8888)\n"
        "\n"
        "Development options:\n"
        "\n"
        "  --debug                          shows errors in the browser (default false)\n"
        "\n"
        "Logging options:\n"
        "\n"
        "  --log-file-prefix=PATH           a log file\n");
}

TEST_CASE("the help shows shapes: lists, words, short names, negations (OPT-13)", "[options]") {
  OptionParser parser("shop");
  parser.version("shop 1.0");
  parser.define("ids", std::vector<int>{1, 2}, "what to sell");
  parser.define("tls", std::vector<std::string>(), "files").words(1, 2).metavar("CERT [KEY]");
  parser.define("output", "", "where to").short_name('o');
  parser.define("body", true, "prints the body");
  parser.define("wait", TimeSpan(std::chrono::seconds(90)), "how long").hide_default();
  parser.define("color", std::optional<bool>(), "");
  CHECK(parser.help_text() ==
        "Usage: shop [OPTIONS]\n"
        "\n"
        "Options:\n"
        "\n"
        "  --[no-]body                      prints the body (default true)\n"
        "  --color\n"
        "  --help                           show this help information\n"
        "  --ids=NUMBER,...                 what to sell (default 1,2)\n"
        "  -o, --output=TEXT                where to\n"
        "  --tls CERT [KEY]                 files\n"
        "  --version                        show the version\n"
        "  --wait=DURATION                  how long\n");
}

TEST_CASE("a long name stands on a line of its own, and a long word is not broken (OPT-13)", "[options]") {
  OptionParser parser("shop");
  parser.define("a_name_that_is_longer_than_a_column", 1, "the " + std::string(50, 'x') + " value");
  const std::string help = parser.help_text();
  const std::string indent(35, ' ');
  CHECK(help.find("  --a-name-that-is-longer-than-a-column=NUMBER\n" + indent + "the\n" + indent +
                  std::string(50, 'x') + "\n" + indent + "value (default 1)\n") != help.npos);
}

TEST_CASE("the help has arguments and commands", "[options]") {
  OptionParser parser("fetch");
  std::string url;
  std::vector<std::string> files;
  parser.bind_argument("url", url, "what to fetch").required();
  parser.bind_argument("files", files, "where to");
  CHECK(parser.help_text() ==
        "Usage: fetch [OPTIONS] url [files...]\n"
        "\n"
        "Arguments:\n"
        "\n"
        "  url                              what to fetch\n"
        "  files                            where to\n"
        "\n"
        "Options:\n"
        "\n"
        "  --help                           show this help information\n");
  OptionParser shop("shop", "Sells things.");
  const OptionParser& serve = shop.command("serve", "Serves customers.");
  CHECK(shop.help_text() ==
        "Usage: shop [OPTIONS] COMMAND\n"
        "\n"
        "Sells things.\n"
        "\n"
        "Commands:\n"
        "\n"
        "  serve                            Serves customers.\n"
        "\n"
        "Options:\n"
        "\n"
        "  --help                           show this help information\n");
  CHECK(serve.help_text().starts_with("Usage: shop serve [OPTIONS]\n\nServes customers.\n"));
}

TEST_CASE("the help says that environment variables set options", "[options]") {
  OptionParser parser("shop");
  parser.define("log_file", "");
  parser.use_environment("SHOP");
  CHECK(parser.help_text().ends_with(
      "\nEnvironment variables set options too: SHOP_LOG_FILE sets --log-file.\n"));
}

}  // namespace
}  // namespace squall::options::help_text_test
