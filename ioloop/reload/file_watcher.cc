#include <squall/ioloop/reload/file_watcher.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/sleep.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall {
namespace {

namespace fs = std::filesystem;

bool is_left_out(std::string_view name) noexcept {
  return name.empty() || name.front() == '.' || name.front() == '#' || name.back() == '~';
}

bool is_of_a_build(const fs::path& folder) {
  static constexpr std::array kMarks = {"build.ninja", "CMakeCache.txt", "CACHEDIR.TAG"};
  std::error_code ignored;
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](const char* mark) { return fs::exists(folder / mark, ignored); });
}

}  // namespace

FileWatcher::FileWatcher(Options options) : options_(options) {
  if (options_.interval <= TimeSpan::zero() || options_.quiet <= TimeSpan::zero())
    throw std::invalid_argument("the intervals of a FileWatcher must be positive");
}

FileWatcher::State::State(const std::string& path, const struct stat& file)
    : device(file.st_dev), inode(file.st_ino), size(file.st_size) {
  std::error_code ignored;
  modified = fs::last_write_time(path, ignored);
}

void FileWatcher::add(const std::string& path) {
  std::string absolute = fs::absolute(path).lexically_normal().string();
  if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  if (!watched_.insert(absolute).second) return;
  look_at(absolute, known_);
}

FileWatcher::States FileWatcher::look() {
  States states;
  for (const std::string& path : watched_) look_at(path, states);
  return states;
}

void FileWatcher::look_at(const std::string& path, States& states) {
  struct stat file{};
  const bool exists = ::stat(path.c_str(), &file) == 0;
  if (exists && S_ISDIR(file.st_mode)) {
    look_into(path, states);
    return;
  }
  if (options_.how == How::notices) {
    notice_.add(fs::path(path).parent_path().string());
    // The file that a symbolic link leads to may be replaced in its own folder.
    std::error_code error;
    const fs::path target = fs::canonical(path, error);
    if (!error && target != path) notice_.add(target.parent_path().string());
  }
  if (!exists) return;
  states.emplace(path, State(path, file));
}

void FileWatcher::look_into(const std::string& folder, States& states) {
  if (options_.how == How::notices) notice_.add(folder);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (is_left_out(entry->path().filename().string())) continue;
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      if (!entry->is_symlink(unknown) && !is_of_a_build(entry->path()))
        look_into(entry->path().string(), states);
    } else if (states.size() < kMostFiles) {
      struct stat file{};
      const std::string path = entry->path().string();
      if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
      states.emplace(path, State(path, file));
    } else if (std::exchange(is_complete_, false)) {
      log::general().warning("{} has too many files to watch: only the first {} are watched", folder,
                             kMostFiles);
    }
  }
}

std::vector<std::string> FileWatcher::changes_in(const States& now) const {
  std::vector<std::string> changes;
  const auto is_in_a_folder = [&](const std::string& path) { return !watched_.contains(path); };
  for (const auto& [path, state] : now) {
    const auto before = known_.find(path);
    if (before == known_.end() ? is_in_a_folder(path) : before->second != state) changes.push_back(path);
  }
  for (const auto& [path, state] : known_)
    if (!now.contains(path) && is_in_a_folder(path)) changes.push_back(path);
  std::sort(changes.begin(), changes.end());
  return changes;
}

Task<> FileWatcher::wait_for_hint() {
  if (has_hint_) co_return;
  if (options_.how == How::polling || notice_.fd() < 0) {
    co_await sleep(options_.interval);
    co_return;
  }
  try {
    co_await with_timeout(options_.interval * kNoticed, wait_readable(notice_.fd()));
  } catch (const TimeoutError&) {
    // The files are looked at without a notice too.
  }
}

void FileWatcher::leave_out_unstable(const States& before, States& now) const {
  std::vector<std::string> unstable;
  for (const auto& [path, state] : now) {
    const auto earlier = before.find(path);
    if (earlier == before.end() || earlier->second != state) unstable.push_back(path);
  }
  for (const auto& [path, state] : before)
    if (!now.contains(path)) unstable.push_back(path);
  for (const std::string& path : unstable) {
    now.erase(path);
    const auto known = known_.find(path);
    if (known != known_.end()) now.insert(*known);
  }
}

void FileWatcher::remember(States now) {
  // A file that is missing now is compared with its last state when it is back.
  for (auto& [path, state] : known_)
    if (watched_.contains(path)) now.emplace(path, state);
  known_ = std::move(now);
}

Task<std::vector<std::string>> FileWatcher::next() {
  for (;;) {
    co_await wait_for_hint();
    // The notices are removed below. If the task is destroyed behind that, the next one must look too.
    has_hint_ = true;
    States before;
    States now;
    for (int looks = 0; looks < kMostLooks; ++looks) {
      if (looks > 0) co_await sleep(options_.quiet);
      notice_.clear();
      before = std::exchange(now, look());
      if (before == now) break;
    }
    leave_out_unstable(before, now);
    std::vector<std::string> changes = changes_in(now);
    remember(std::move(now));
    has_hint_ = false;
    if (!changes.empty()) co_return changes;
  }
}

FileWatcher::Changes FileWatcher::take() {
  notice_.clear();
  States now = look();
  Changes changes;
  for (std::string& path : changes_in(now))
    (known_.contains(path) ? changes.changed : changes.added).push_back(std::move(path));
  remember(std::move(now));
  has_hint_ = false;
  return changes;
}

}  // namespace squall
