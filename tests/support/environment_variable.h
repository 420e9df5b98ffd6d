#pragma once

#include <stdlib.h>
#include <time.h>

#include <optional>
#include <string>
#include <utility>

namespace squall::testing {

// An environment variable that has another value during this object's lifetime; nullptr unsets it. The
// destructor gives it back the value that it had before.
class EnvironmentVariable {
 public:
  explicit EnvironmentVariable(const char* name, const char* value = nullptr) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    set(value);
  }
  ~EnvironmentVariable() { set(before_ ? before_->c_str() : nullptr); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

  void set(const char* value) { value ? ::setenv(name_, value, 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// Sets the local time zone during its lifetime.
class TimeZone {
 public:
  explicit TimeZone(const char* zone) : variable_(std::in_place, "TZ", zone) { ::tzset(); }
  ~TimeZone() {
    variable_.reset();
    ::tzset();
  }

 private:
  std::optional<EnvironmentVariable> variable_;
};

}  // namespace squall::testing
