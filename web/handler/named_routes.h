#pragma once

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace squall::web {

// The text of an argument of reverse_url(), before it is percent-encoded.
template <class T>
std::string path_text(const T& argument) {
  if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string(std::string_view(argument));
  } else {
    static_assert((std::integral<T> && !std::same_as<T, bool>) || std::floating_point<T>,
                  "an argument of reverse_url() is text or a number");
    return fmt::to_string(argument);
  }
}

// The named routes of an application, which can be turned back into paths (RTE-07, WEB-196).
//
// Thread:    one thread at a time.
class NamedRoutes {
 public:
  // Makes a path of arguments that are not encoded. Throws std::invalid_argument for arguments that do not
  // fit.
  using Reverse = std::function<std::string(std::span<const std::string> arguments)>;

  // Replaces a route of the same name, with a warning in the log (RTE-08).
  void add(const std::string& name, Reverse reverse);
  // Throws std::out_of_range for an unknown name, and the exceptions of the route's function.
  std::string reverse(std::string_view name, std::span<const std::string> arguments) const;
  // The same with texts and numbers.
  template <class... Arguments>
  std::string path_of(std::string_view name, const Arguments&... arguments) const {
    const std::array<std::string, sizeof...(Arguments)> texts{path_text(arguments)...};
    return reverse(name, texts);
  }

 private:
  std::map<std::string, Reverse, std::less<>> routes_;
};

}  // namespace squall::web
