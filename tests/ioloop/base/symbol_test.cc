#include <squall/ioloop/base/symbol.h>

#include <fmt/format.h>

#include "support/catch.h"

namespace squall::symbol_test {

void known_function() {}

namespace {

void static_function() {}
int a_variable = 0;

TEST_CASE("a function is known by its name, without its parameters, be it static or not", "[symbol]") {
  CHECK(symbol_name(reinterpret_cast<const void*>(&known_function)) == "squall::symbol_test::known_function");
  CHECK(symbol_name(reinterpret_cast<const void*>(&static_function)) ==
        "squall::symbol_test::(anonymous namespace)::static_function");
}

TEST_CASE("a place that is in no function is said as the file and the offset in it", "[symbol]") {
  CHECK(symbol_name(&a_variable).find("_test+0x") != std::string::npos);
}

TEST_CASE("a place in no file is said as a number", "[symbol]") {
  CHECK(symbol_name(nullptr) == fmt::format("{}", static_cast<const void*>(nullptr)));
}

TEST_CASE("a mangled name is said as it was written, any other as it is", "[symbol]") {
  CHECK(demangled("_ZN6squall14known_functionEv") == "squall::known_function()");
  CHECK(demangled("main") == "main");
}

}  // namespace
}  // namespace squall::symbol_test
