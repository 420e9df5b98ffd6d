#include <squall/ioloop/base/symbol.h>

#include <fmt/format.h>

#include "support/catch.h"

namespace squall::symbol_test {

void known_function() {}

namespace {

void static_function() {}
int a_variable = 0;

TEST_CASE("the symbol of a function is its name without parameters, also of a static function", "[symbol]") {
  CHECK(symbol_name(reinterpret_cast<const void*>(&known_function)) == "squall::symbol_test::known_function");
  CHECK(symbol_name(reinterpret_cast<const void*>(&static_function)) ==
        "squall::symbol_test::(anonymous namespace)::static_function");
}

TEST_CASE("an address outside of all functions is printed as file and offset", "[symbol]") {
  CHECK(symbol_name(&a_variable).find("_test+0x") != std::string::npos);
}

TEST_CASE("an address outside of all files is printed as a number", "[symbol]") {
  CHECK(symbol_name(nullptr) == fmt::format("{}", static_cast<const void*>(nullptr)));
}

TEST_CASE("a mangled name is demangled, and any other name is unchanged", "[symbol]") {
  CHECK(demangled("_ZN6squall14known_functionEv") == "squall::known_function()");
  CHECK(demangled("main") == "main");
}

}  // namespace
}  // namespace squall::symbol_test
