#pragma once

#include <squall/web/handler/page_functions.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall::web {

// The folder of an application's templates; converts from text. Only a program that makes one with a path
// links the code that loads templates.
class TemplateFolder {
 public:
  TemplateFolder() = default;
  template <class Path>
  requires((std::convertible_to<Path, std::string> || std::convertible_to<Path, std::string_view>) &&
           !std::same_as<std::remove_cvref_t<Path>, TemplateFolder>)
  TemplateFolder(Path&& path)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
      : path_(std::forward<Path>(path)), make_loader_(&detail::make_template_loader) {}

  const std::string& path() const noexcept { return path_; }
  bool empty() const noexcept { return path_.empty(); }
  // Null without a path.
  decltype(&detail::make_template_loader) make_loader() const noexcept {
    return empty() ? nullptr : make_loader_;
  }

 private:
  std::string path_;
  decltype(&detail::make_template_loader) make_loader_ = nullptr;
};

}  // namespace squall::web
