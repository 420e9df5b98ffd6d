#include <squall/ioloop/reload/program_image.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace squall {

namespace {

// `access`: as for access().
std::string obstacle_to(const std::string& path, int access) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return std::strerror(errno);
  if (!S_ISREG(file.st_mode)) return "it is not a file";
  if (file.st_size == 0) return "it is empty";
  if (::access(path.c_str(), access) != 0)
    return access == X_OK ? "it is not executable" : "it is not readable";
  if (detail::is_open_for_writing(path)) return "it is open for writing";
  return {};
}

}  // namespace

std::string obstacle_to_execution(const std::string& path) { return obstacle_to(path, X_OK); }
std::string obstacle_to_loading(const std::string& path) { return obstacle_to(path, R_OK); }

}  // namespace squall
