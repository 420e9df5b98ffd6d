#include <squall/web/locale/translation_files.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/web/locale/csv_catalog.h>
#include <squall/web/locale/gettext_catalog.h>
#include <squall/web/locale/locale_data.h>
#include <squall/web/locale/translation_error.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace squall::web::detail {
namespace {

namespace fs = std::filesystem;

// Throws std::system_error, and TranslationError for a large file and for one that is not regular.
std::string read_file(const std::string& path, std::size_t most) {
  // Without O_NONBLOCK the open() of a FIFO waits for a writer.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const OwnedFd fd(static_cast<int>(retry_interrupted([&] { return ::open(path.c_str(), kFlags); })));
  if (!fd) throw_errno("open");
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) throw_errno("fstat");
  if (!S_ISREG(status.st_mode)) throw TranslationError("not a regular file");
  std::string text;
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const auto count = retry_interrupted([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
    if (count < 0) throw_errno("read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > most) throw TranslationError(fmt::format("the file is larger than {} bytes", most));
  }
}

// Names of the folder's entries, without hidden ones, sorted.
std::vector<std::string> list_folder(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  if (error) throw std::system_error(error, fmt::format("Cannot read the folder of translations {}", folder));
  std::sort(names.begin(), names.end());
  return names;
}

// `[a-z]+(_[A-Z]+)?`
bool is_csv_locale(std::string_view code) noexcept {
  const auto all = [](std::string_view text, char first, char last) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
  };
  const std::size_t end = code.find('_');
  return all(code.substr(0, end), 'a', 'z') && (end == code.npos || all(code.substr(end + 1), 'A', 'Z'));
}

// Adds the locale of the catalog that `read` makes of the file's content, or logs the error.
template <class Read>
void add_locale(std::vector<Locale>& to, const std::string& code, const std::string& path, std::size_t most,
                Read read) {
  try {
    std::unique_ptr<const Catalog> catalog = read(read_file(path, most));
    to.emplace_back(std::make_shared<const LocaleData>(code, std::move(catalog)));
  } catch (const std::exception& error) {
    log::general().error("Cannot load the translations of '{}' from {}: {}", code, path, error.what());
  }
}

}  // namespace

std::vector<Locale> read_csv_folder(const std::string& folder, CsvEncoding encoding, std::size_t most) {
  constexpr std::string_view kExtension = ".csv";
  std::vector<Locale> locales;
  for (const std::string& name : list_folder(folder)) {
    if (!name.ends_with(kExtension)) continue;
    const std::string path = fmt::format("{}/{}", folder, name);
    const std::string code = name.substr(0, name.size() - kExtension.size());
    if (!is_csv_locale(code)) {
      log::general().error("Unrecognized locale '{}' (path: {})", code, path);
      continue;
    }
    add_locale(locales, code, path, most,
               [&](const std::string& bytes) { return std::make_unique<CsvCatalog>(bytes, encoding, path); });
  }
  return locales;
}

std::vector<Locale> read_gettext_folder(const std::string& folder, std::string_view domain,
                                        std::size_t most) {
  std::vector<Locale> locales;
  for (const std::string& name : list_folder(folder)) {
    std::error_code ignored;
    if (!fs::is_directory(fmt::format("{}/{}", folder, name), ignored)) continue;
    const std::string path = fmt::format("{}/{}/LC_MESSAGES/{}.mo", folder, name, domain);
    add_locale(locales, name, path, most,
               [](std::string bytes) { return std::make_unique<GettextCatalog>(std::move(bytes)); });
  }
  return locales;
}

}  // namespace squall::web::detail
