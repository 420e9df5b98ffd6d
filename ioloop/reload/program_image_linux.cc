#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/reload/program_image.h>

#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

namespace squall {
namespace {

// The texts of a file of /proc, each of which ends with NUL.
std::vector<std::string> texts_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\0', begin), all.size());
    texts.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

// The kernel appends a text to the path of an executable that was removed, for example by a linker.
std::string path_of_executable() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted) && !std::filesystem::exists(path, error))
    path.resize(path.size() - kDeleted.size());
  return path;
}

bool is_of_the_system(std::string_view library) noexcept {
  static constexpr std::array<std::string_view, 5> kFolders = {"/lib/", "/lib32/", "/lib64/", "/usr/lib/",
                                                               "/usr/lib64/"};
  return std::any_of(kFolders.begin(), kFolders.end(),
                     [&](std::string_view folder) { return library.starts_with(folder); });
}

int add_library(dl_phdr_info* info, std::size_t, void* libraries) {
  const std::string_view name = info->dlpi_name ? info->dlpi_name : "";
  // The executable has an empty name, and the kernel's library is no file.
  if (name.find('/') != name.npos && !is_of_the_system(name))
    static_cast<std::vector<std::string>*>(libraries)->emplace_back(name);
  return 0;
}

}  // namespace

ProgramImage ProgramImage::of_this_process() {
  ProgramImage image{
      path_of_executable(), texts_of("/proc/self/cmdline"), texts_of("/proc/self/environ"), {}};
  ::dl_iterate_phdr(&add_library, &image.libraries);
  return image;
}

bool is_replaced(const std::string& path) noexcept {
  struct stat ours{};
  struct stat file{};
  return ::stat("/proc/self/exe", &ours) == 0 && ::stat(path.c_str(), &file) == 0 &&
         (ours.st_dev != file.st_dev || ours.st_ino != file.st_ino);
}

bool detail::is_open_for_writing(const std::string& path) noexcept {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return false;
  // A process that opens the file for writing while this process has a lease sends it a signal, SIGIO by
  // default, which would end it. SIGURG is ignored by default.
  if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return false;
  // Only the owner of the file may ask. The kernel refuses a lease for reading while there is a writer.
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return false;
}

}  // namespace squall
