#include <squall/web/handler/named_functions.h>

#include <functional>

#include "support/catch.h"

namespace squall::web::named_functions_test {
namespace {

using Functions = NamedFunctions<std::function<int()>>;

TEST_CASE("functions have names", "[named_functions]") {
  Functions functions = {{"one", [] { return 1; }}};
  functions["two"] = [] { return 2; };
  CHECK(functions.functions().size() == 2);
  CHECK(functions.functions().find("one")->second() == 1);
  CHECK(functions.functions().find("two")->second() == 2);
  CHECK(Functions().functions().empty());
}

TEST_CASE("a copy keeps its functions when the other one changes", "[named_functions]") {
  Functions functions = {{"one", [] { return 1; }}};
  const Functions copy = functions;
  functions["one"] = [] { return 3; };
  functions["two"] = [] { return 2; };
  CHECK(copy.functions().size() == 1);
  CHECK(copy.functions().find("one")->second() == 1);
  CHECK(functions.functions().find("one")->second() == 3);
}

}  // namespace
}  // namespace squall::web::named_functions_test
