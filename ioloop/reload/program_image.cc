#include <squall/ioloop/reload/program_image.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace squall {

std::string obstacle_to_execution(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return std::strerror(errno);
  if (!S_ISREG(file.st_mode)) return "it is not a file";
  if (file.st_size == 0) return "it is empty";
  if (::access(path.c_str(), X_OK) != 0) return "it is not executable";
  if (detail::is_open_for_writing(path)) return "it is open for writing";
  return {};
}

}  // namespace squall
