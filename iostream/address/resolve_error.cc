#include <squall/iostream/address/resolve_error.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/address/address_system.h>

#include <fmt/format.h>
#include <netdb.h>

namespace squall {
namespace {

class ResolverCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "resolver"; }
  std::string message(int value) const override { return ::gai_strerror(value); }
};

std::string describe(const std::string& host, std::string_view detail) {
  const std::string text =
      fmt::format("cannot look up {}", host.empty() ? "an empty name" : escape_controls(host));
  return detail.empty() ? text : fmt::format("{}: {}", text, detail);
}

}  // namespace

const std::error_category& resolver_category() noexcept {
  static const ResolverCategory category;
  return category;
}

ResolveError::ResolveError(const std::string& host, std::error_code reason, std::string_view detail)
    : std::system_error(reason, describe(host, detail)), host_(host) {}

bool ResolveError::is_definite() const noexcept {
  if (code().category() != resolver_category()) return false;
  return detail::is_definite_answer(code().value());
}

}  // namespace squall
