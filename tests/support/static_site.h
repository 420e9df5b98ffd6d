#pragma once

#include <squall/web/static/file_versions.h>
#include <squall/web/static/static_file_handler.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::testing {

// The size of a file that is not kept in memory.
inline constexpr std::size_t kLarge = 200'000;

inline std::string large_text(std::size_t size) {
  std::string text;
  while (text.size() < size) text += fmt::format("{:07}\n", text.size());
  text.resize(size);
  return text;
}

inline std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}
// The value of a header; "none" without one.
inline std::string header(const std::string& response, const std::string& name) {
  const std::string head = response.substr(0, response.find("\r\n\r\n") + 2);
  const std::size_t found = head.find("\r\n" + name + ": ");
  if (found == head.npos) return "none";
  const std::size_t begin = found + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}
inline int status_of(const std::string& response) { return std::stoi(response.substr(9, 3)); }

// A folder beside one that must not be served, and an application that serves it under three prefixes.
class StaticSite {
 public:
  StaticSite() {
    web::FileVersions::of_this_thread().set_limits(web::FileVersions::Limits());
    std::filesystem::create_directories(root + "/dir");
    std::filesystem::create_directories(root + "/empty");
    std::filesystem::create_directories(folder / "outside");
    std::filesystem::create_directories(folder / "root_evil");
    file("digits", "0123456789");
    file("index.html", "top");
    file("dir/index.html", "<p>dir");
    static_cast<void>(folder.file("outside/secret", "secret"));
    static_cast<void>(folder.file("root_evil/secret", "secret"));
  }
  // A file of 2001, which no test depends on, so that its times are settled.
  void file(const std::string& name, const std::string& content) const {
    const std::string path = folder.file("root/" + name, content);
    set_modified(path, 1'000'000'000);
  }
  static void set_modified(const std::string& path, std::time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 999'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  // From here on a file is trusted at once, as one that has not changed for some time.
  static void trust_new_files() {
    web::FileVersions::Limits limits;
    limits.settled = std::chrono::seconds(-10);
    web::FileVersions::of_this_thread().set_limits(limits);
  }
  std::string get(std::string_view target, std::string_view headers = "") {
    return web.fetch("GET", target, headers);
  }
  // The status of a refused GET, whose log lines are taken.
  int refused(const std::string& target) {
    const int status = status_of(get(target));
    web.loop.log.expect_any("GET " + target);
    return status;
  }

  TemporaryFolder folder;
  std::string root = folder / "root";
  WebFixture web{{web::url<web::StaticFileHandler>("/s/(.*)", root),
                  web::url<web::StaticFileHandler>("/d/(.*)", root, "index.html"),
                  web::url<web::StaticFileHandler>("(/bare.*|//.*)", root, "index.html")}};
};

inline int status_for(StaticSite& site, const std::string& headers) {
  return status_of(site.get("/s/digits", headers));
}

}  // namespace squall::testing
