#include <squall/web/handler/handler_type.h>

#include "support/catch.h"

namespace squall::web::handler_type_test {
namespace {

class Plain : public RequestHandler {
 public:
  void get() {}
  Task<> post(int, std::string) { co_return; }
  void on_finish() {}
};
class Derived : public Plain {
 public:
  Task<> prepare() { co_return; }
  void delete_(int) noexcept {}
  void options() const {}
};
class Final final : public RequestHandler {
 public:
  void put() {}
};

bool has(const HandlerType& type, http::Method method) {
  return type.verbs[static_cast<std::size_t>(method)] != nullptr;
}
int parameters(const HandlerType& type, http::Method method) {
  return type.parameters[static_cast<std::size_t>(method)];
}

TEST_CASE("a class's verbs and hooks are found, inherited ones too", "[handler_type]") {
  using http::Method;
  const HandlerType& plain = kHandlerType<Plain>;
  CHECK(has(plain, Method::get));
  CHECK(has(plain, Method::post));
  CHECK(has(plain, Method::head));  // by get
  CHECK_FALSE(has(plain, Method::put));
  CHECK(parameters(plain, Method::get) == 0);
  CHECK(parameters(plain, Method::post) == 2);
  CHECK(plain.prepare == nullptr);
  CHECK(plain.on_finish != nullptr);
  CHECK(plain.on_connection_close == nullptr);

  const HandlerType& derived = kHandlerType<Derived>;
  CHECK(has(derived, Method::get));
  CHECK(has(derived, Method::delete_));
  CHECK(has(derived, Method::options));
  CHECK(derived.prepare != nullptr);
  CHECK(derived.on_finish != nullptr);
  CHECK(parameters(derived, Method::delete_) == 1);

  CHECK(has(kHandlerType<Final>, Method::put));
  CHECK_FALSE(has(kHandlerType<Final>, Method::head));
}

class Extended : public RequestHandler {
 public:
  static constexpr std::string_view accept_query = "text/plain";
  static constexpr bool authenticated = true;
  void query() {}
  Task<> propfind(std::string) { co_return; }
  void lock() {}
  using extra_methods =
      ExtraMethods<ExtraMethod<"PROPFIND", &Extended::propfind>, ExtraMethod<"LOCK", &Extended::lock>>;
};

TEST_CASE("a class may have verbs of other methods (WEB-05), and conditions of its verbs", "[handler_type]") {
  const HandlerType& type = kHandlerType<Extended>;
  CHECK(has(type, http::Method::query));
  CHECK(type.accept_query == "text/plain");
  CHECK(type.authenticated);
  REQUIRE(type.extra_verbs.size() == 2);
  CHECK(type.extra_verb("PROPFIND") == type.extra_verbs[0].verb);
  CHECK(type.extra_verbs[0].parameters == 1);
  CHECK(type.extra_verb("LOCK") != nullptr);
  CHECK(type.extra_verb("lock") == nullptr);
}

}  // namespace
}  // namespace squall::web::handler_type_test
