#include <squall/ioloop/base/errors.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::errors_test {
namespace {

struct ServiceError : virtual std::runtime_error {
  explicit ServiceError(const std::string& text) : std::runtime_error(text) {}
};
struct ServiceTimeoutError : ServiceError, TimeoutError {
  explicit ServiceTimeoutError(const std::string& text) : std::runtime_error(text), ServiceError(text) {}
};

template <class Error>
std::string caught_as() {
  try {
    throw ServiceTimeoutError("the service took too long");
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_CASE("a timeout error of another hierarchy is caught as either base, and as std::exception",
          "[errors]") {
  CHECK(caught_as<ServiceError>() == "the service took too long");
  CHECK(caught_as<TimeoutError>() == "the service took too long");
  CHECK(caught_as<std::runtime_error>() == "the service took too long");
  CHECK(caught_as<std::exception>() == "the service took too long");
  CHECK(std::string(TimeoutError().what()) == "Timeout");
  CHECK(std::string(TimeoutError("too late").what()) == "too late");
}

TEST_CASE("the text of an exception is that of what(), or says that there is none", "[errors]") {
  CHECK(error_text(std::make_exception_ptr(std::runtime_error("broken"))) == "broken");
  CHECK(error_text(std::make_exception_ptr(7)) == "not a std::exception");
}

}  // namespace
}  // namespace squall::errors_test
