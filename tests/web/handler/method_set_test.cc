#include <squall/web/handler/method_set.h>

#include <squall/web/handler/handler_type.h>

#include "support/catch.h"

namespace squall::web::method_set_test {
namespace {

class Extended : public RequestHandler {
 public:
  void query() {}
  Task<> propfind(std::string) { co_return; }
  void lock() {}
  using extra_methods =
      ExtraMethods<ExtraMethod<"PROPFIND", &Extended::propfind>, ExtraMethod<"LOCK", &Extended::lock>>;
};

TEST_CASE("an Allow header names the verbs of a class, those of other methods last", "[method_set]") {
  CHECK(allowed_methods(kHandlerType<Extended>) == "QUERY, PROPFIND, LOCK");
}

class Page : public RequestHandler {
 public:
  void get() {}
  void lock() {}
  using extra_methods = ExtraMethods<ExtraMethod<"LOCK", &Page::lock>>;
};

TEST_CASE("a set has each method of several classes once", "[method_set]") {
  MethodSet methods;
  methods.add(kHandlerType<Page>);
  methods.add(kHandlerType<Extended>);
  methods.add(http::Method::options);
  CHECK(methods.text() == "GET, HEAD, OPTIONS, QUERY, LOCK, PROPFIND");
  CHECK(MethodSet::all().text() == "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, QUERY");
}

}  // namespace
}  // namespace squall::web::method_set_test
