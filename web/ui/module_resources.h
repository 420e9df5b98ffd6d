#pragma once

#include <string>
#include <vector>

namespace squall::web::detail {

// The resources of UI modules: what a page needs for them (WEB-230), in the order of the modules.
struct ModuleResources {
  std::vector<std::string> javascript_files{};
  std::vector<std::string> scripts{};
  std::vector<std::string> css_files{};
  std::vector<std::string> styles{};
  std::string html_head{};
  std::string html_body{};

  bool operator==(const ModuleResources&) const = default;
  bool empty() const noexcept {
    return javascript_files.empty() && scripts.empty() && css_files.empty() && styles.empty() &&
           html_head.empty() && html_body.empty();
  }
};

}  // namespace squall::web::detail
