#include <squall/redis/command.h>

#include <cstdint>
#include <limits>
#include <string>

#include "support/catch.h"

namespace squall::redis::command_test {
namespace {

TEST_CASE("a command is an array of strings", "[command]") {
  CHECK(Command("PING").bytes() == "*1\r\n$4\r\nPING\r\n");
  CHECK(Command("SET", "key", std::string("a\r\n\0b", 5)).bytes() ==
        std::string("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\na\r\n\0b\r\n", 33));
  CHECK(Command("ECHO", "").bytes() == "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n");
}

TEST_CASE("numbers become words in decimal", "[command]") {
  Command command("X", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max());
  command.add(0).add(2.5).add(std::size_t{7});
  CHECK(command.bytes() ==
        "*6\r\n$1\r\nX\r\n$20\r\n-9223372036854775808\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n$3\r\n2."
        "5\r\n$1\r\n7\r\n");
}

TEST_CASE("a command knows its name and its size", "[command]") {
  Command command = Command::of({"GET", "a"});
  CHECK(command.name() == "GET");
  CHECK(command.size() == 2);
  command.add("b");
  CHECK(command.name() == "GET");
  CHECK(command.size() == 3);
  CHECK(Command::of({}).name().empty());
}

}  // namespace
}  // namespace squall::redis::command_test
