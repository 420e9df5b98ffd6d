#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall::web {

class Rule;
struct Settings;

// `hashed` URLs end with `?v=` and the hash of the file's content: StaticFileHandler lets clients use them
// for ten years, and a changed file has another URL.
enum class StaticUrl { hashed, plain };

namespace detail {

// The functions of the room of static files, which is above this one.
struct StaticFiles {
  std::vector<Rule> (*routes)(const Settings& settings, std::vector<Rule> rules);
  std::string (*url)(const Settings& settings, std::string_view path, StaticUrl kind);
};
const StaticFiles& static_files() noexcept;

}  // namespace detail

// The folder of an application's static files; converts from text. Only a program that makes one with a path
// links the code for static files.
class StaticFolder {
 public:
  StaticFolder() = default;
  template <class Path>
  requires((std::convertible_to<Path, std::string> || std::convertible_to<Path, std::string_view>) &&
           !std::same_as<std::remove_cvref_t<Path>, StaticFolder>)
  StaticFolder(Path&& path)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
      : path_(std::forward<Path>(path)), files_(&detail::static_files()) {}

  const std::string& path() const noexcept { return path_; }
  bool empty() const noexcept { return path_.empty(); }
  // Null without a path.
  const detail::StaticFiles* files() const noexcept { return empty() ? nullptr : files_; }

 private:
  std::string path_;
  const detail::StaticFiles* files_ = nullptr;
};

}  // namespace squall::web
