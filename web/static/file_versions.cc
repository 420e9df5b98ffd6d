#include <squall/web/static/file_versions.h>

#include <squall/http/message/date.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/process/run_in_executor.h>
#include <squall/ioloop/sync/event.h>
#include <squall/iostream/socket/file.h>
#include <squall/web/static/content_hash.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <iterator>
#include <optional>
#include <utility>

namespace squall::web {
namespace {

void join_path(std::string& to, const std::string& root, const std::string& path) {
  to.assign(root);
  if (!to.empty() && to.back() != '/') to += '/';
  to += path;
}

// A file is known for each root by itself, because another root may forbid the links that lead to it.
void make_key(std::string& to, const std::string& root, const std::string& path) {
  to.assign(root);
  to += '\0';
  to += path;
}

std::shared_ptr<const FileVersion> make_version(const FileIdentity& identity, std::string hash,
                                                SharedBytes content) {
  auto version = std::make_shared<FileVersion>();
  version->identity = identity;
  version->etag = hash.empty() ? std::string() : fmt::format("\"{}\"", hash);
  version->hash = std::move(hash);
  version->last_modified = http::format_date(identity.modified_time());
  version->content = std::move(content);
  return version;
}

// The hash of a file; empty if the file cannot be read, or changed meanwhile.
std::string hash_unchanged(int fd, const FileIdentity& identity) {
  struct stat status{};
  std::optional<std::string> hash = hash_of_file(fd, identity.size);
  if (!hash || ::fstat(fd, &status) != 0 || FileIdentity::of(status) != identity) return {};
  return std::move(*hash);
}
std::string hash_owned(const OwnedFd& file, const FileIdentity& identity) {
  return hash_unchanged(file.get(), identity);
}

std::string read_content(int fd, std::uint64_t size) {
  std::string content(static_cast<std::size_t>(size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = read_file(fd, std::span<char>(content).subspan(done), done);
    if (count < 0) throw_errno("Cannot read a static file");
    if (count == 0) break;  // the file became shorter: its identity is another one, too
    done += static_cast<std::size_t>(count);
  }
  content.resize(done);
  return content;
}

// Whether the times of a file that was read at `read_at` would show any change since then.
bool is_settled_at(std::chrono::system_clock::time_point read_at, const FileIdentity& identity,
                   std::chrono::nanoseconds age) noexcept {
  const auto read_second = std::chrono::floor<std::chrono::seconds>((read_at - age).time_since_epoch());
  return identity.changed.seconds < read_second.count();
}

}  // namespace

// The computation of one hash, which other requests for the file wait for.
struct FileVersions::Hashing {
  Event ended;
  std::shared_ptr<const FileVersion> version;  // null while it runs, and after a failure

  // Ends the wait of the others also if this task is destroyed or throws.
  class End {
   public:
    explicit End(std::shared_ptr<Hashing> hashing) noexcept : hashing_(std::move(hashing)) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() { hashing_->ended.set(); }

   private:
    std::shared_ptr<Hashing> hashing_;
  };
};

FileVersions& FileVersions::of_this_thread() {
  thread_local FileVersions versions;
  return versions;
}

// ---- Lookup.

FileVersions::Found FileVersions::find(const std::string& root, const std::string& path, With with) {
  join_path(path_, root, path);
  make_key(key_, root, path);
  Found found;
  Entry* entry = find_kept(found, with);
  if (found.outcome != OpenedFile::Outcome::file) entry = open(root, path, found);
  if (with == With::file_only || found.outcome != OpenedFile::Outcome::file) return found;
  found.siblings = siblings_of(entry, found.identity);
  if (found.siblings.none() && !found.is_open()) {  // the siblings are gone
    found = Found();
    open(root, path, found);
  }
  return found;
}

// The path may lead out of the root by now. That is harmless: only the file that was opened beneath the root
// has this identity.
FileVersions::Entry* FileVersions::find_kept(Found& found, With with) {
  Entry* const entry = look_up(key_);
  if (!entry || !entry->is_settled) return entry;
  const bool has_content = entry->version && entry->version->content;
  const bool sends_sibling = with == With::siblings && entry->siblings.any();
  if (!has_content && !sends_sibling) return entry;
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return entry;
  const FileIdentity identity = FileIdentity::of(status);
  if (entry->identity != identity) return entry;
  found.outcome = OpenedFile::Outcome::file;
  found.version = entry->version;
  found.identity = identity;
  return entry;
}

FileVersions::Entry* FileVersions::open(const std::string& root, const std::string& path, Found& found) {
  OpenedFile opened = open_beneath(root, path);
  found.outcome = opened.outcome;
  Entry* entry = look_up(key_);
  if (opened.outcome != OpenedFile::Outcome::file) {
    if (entry) forget(by_key_.find(key_)->second);
    return nullptr;
  }
  found.identity = FileIdentity::of(opened.status);
  if (entry && entry->is_settled && entry->identity == found.identity) {
    found.version = entry->version;
  } else {
    const auto read_at = std::chrono::system_clock::now();
    found.version = load(opened.fd.get(), found.identity);
    entry = store(key_, found.identity, found.version, read_at);
  }
  if (!found.version || !found.version->content) found.fd = std::move(opened.fd);
  return entry;
}

// Null for a file that is too large to be hashed at once.
std::shared_ptr<const FileVersion> FileVersions::load(int fd, const FileIdentity& identity) const {
  if (identity.size <= limits_.content) {
    auto content = std::make_shared<const std::string>(read_content(fd, identity.size));
    std::string hash = hash_of(*content);
    return make_version(identity, std::move(hash), std::move(content));
  }
  if (identity.size > limits_.hashed) {
    const FileIdentity::Time& time = identity.modified;
    return make_version(
        identity, fmt::format("{:x}-{:x}-{:x}", time.seconds, time.nanoseconds, identity.size), nullptr);
  }
  if (identity.size > limits_.hashed_at_once) return nullptr;
  return make_version(identity, hash_unchanged(fd, identity), nullptr);
}

Siblings FileVersions::siblings_of(Entry* entry, const FileIdentity& identity) {
  if (!entry) return find_siblings(path_, identity);
  const auto now = std::chrono::steady_clock::now();
  if (now - entry->siblings_found >= limits_.siblings_checked) {
    entry->siblings = find_siblings(path_, identity);
    entry->siblings_found = now;
  }
  return entry->siblings;
}

// ---- Hashes.

Task<std::shared_ptr<const FileVersion>> FileVersions::hash(std::string root, std::string path, int fd,
                                                            FileIdentity identity) {
  std::string key;
  make_key(key, root, path);
  for (;;) {
    const Entry* const entry = look_up(key);
    if (entry && entry->is_settled && entry->version && entry->identity == identity) co_return entry->version;
    std::erase_if(hashing_, [](const auto& pair) { return pair.second->ended.is_set(); });
    const auto running = hashing_.find(key);
    if (running == hashing_.end()) break;
    const std::shared_ptr<Hashing> other = running->second;
    co_await other->ended.wait();
    if (other->version && other->version->identity == identity) co_return other->version;
  }
  const auto own = std::make_shared<Hashing>();
  const Hashing::End end(own);
  hashing_.emplace(key, own);
  const auto read_at = std::chrono::system_clock::now();
  OwnedFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_errno("dup");
  std::string hash = co_await run_in_executor(hash_owned, std::move(copy), identity);
  own->version = make_version(identity, std::move(hash), nullptr);
  store(key, identity, own->version, read_at);
  co_return own->version;
}

std::string FileVersions::hash_now(const std::string& root, const std::string& path) {
  const Found found = find(root, path);
  if (found.version) return found.version->hash;
  if (found.outcome != OpenedFile::Outcome::file) return {};
  const auto read_at = std::chrono::system_clock::now();
  const auto version = make_version(found.identity, hash_unchanged(found.fd.get(), found.identity), nullptr);
  store(key_, found.identity, version, read_at);
  return version->hash;
}

// ---- The kept versions.

FileVersions::Entry* FileVersions::look_up(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

// A version without a hash is not kept. Returns null if the version is not kept.
FileVersions::Entry* FileVersions::store(const std::string& key, const FileIdentity& identity,
                                         std::shared_ptr<const FileVersion> version,
                                         std::chrono::system_clock::time_point read_at) {
  if (look_up(key)) forget(entries_.begin());
  if (version && version->hash.empty()) return nullptr;
  Entries added(1);
  Entry& entry = added.front();
  entry.key = key;
  entry.identity = identity;
  entry.is_settled = is_settled_at(read_at, identity, limits_.settled);
  entry.version = std::move(version);
  by_key_.emplace(entry.key, added.begin());
  entries_.splice(entries_.begin(), added);
  if (entry.version && entry.version->content) bytes_ += entry.version->content->size();
  while (!entries_.empty() && (entries_.size() > limits_.files || bytes_ > limits_.contents))
    forget(std::prev(entries_.end()));
  return entries_.empty() ? nullptr : &entries_.front();
}

void FileVersions::forget(Entries::iterator entry) noexcept {
  if (entry->version && entry->version->content) bytes_ -= entry->version->content->size();
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace squall::web
