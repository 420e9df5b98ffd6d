#include <squall/web/static/static_file_handler.h>

#include <squall/http/message/date.h>
#include <squall/http/message/range.h>
#include <squall/http/message/vary.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/stream/file_slice.h>
#include <squall/web/static/file_versions.h>
#include <squall/web/static/mime_types.h>
#include <squall/web/static/multipart_ranges.h>
#include <squall/web/static/precompressed.h>
#include <squall/web/static/safe_path.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace squall::web {
namespace {

bool has_encoded_slash(std::string_view path) noexcept {
  for (std::size_t at = path.find("%2"); at != path.npos; at = path.find("%2", at + 2))
    if (at + 2 < path.size() && (path[at + 2] == 'F' || path[at + 2] == 'f')) return true;
  return false;
}

constexpr std::chrono::seconds kTenYears{315'360'000};
// The size of the pieces in which several ranges, and files for filters, are read. And the bytes after which
// the loop serves others, however fast the client is: to compress a piece takes milliseconds.
constexpr std::size_t kRangePiece = 64 * 1024;
constexpr std::uint64_t kBetweenTurns = 16 * kRangePiece;
constexpr std::uint64_t kFilteredBetweenTurns = kRangePiece;

// Whether a query has an argument `v`.
bool has_version_argument(std::string_view query) noexcept {
  while (!query.empty()) {
    const std::string_view argument = query.substr(0, query.find('&'));
    if (argument == "v" || argument.starts_with("v=")) return true;
    query.remove_prefix(std::min(argument.size() + 1, query.size()));
  }
  return false;
}

}  // namespace

StaticFileHandler::StaticFileHandler() = default;
StaticFileHandler::~StaticFileHandler() = default;

void StaticFileHandler::initialize(std::string path, std::string default_filename) {
  root_ = std::move(path);
  default_filename_ = std::move(default_filename);
}

// ---- The file.

// Not a coroutine: a small file is sent before this returns.
Task<> StaticFileHandler::get(std::string path) {
  const std::string url_path = parse_url_path(std::move(path));
  std::optional<std::string> safe = safe_path(url_path);
  if (!safe) throw HTTPError(403, "The path is not beneath the folder of static files");
  // The router compares paths as they are spelled, so a route that guards a part of the folder would not have
  // matched another spelling.
  if (*safe != url_path || has_encoded_slash(request().path()))
    throw HTTPError(404,
                    "The path of a static file has a dot segment, an empty component or an encoded slash");
  path_ = std::move(*safe);
  validate_path(path_);
  if (names_folder(path_)) path_ += default_filename_;
  const auto with = has_precompressed(path_) ? FileVersions::With::siblings : FileVersions::With::file_only;
  FileVersions& versions = FileVersions::of_this_thread();
  FileVersions::Found found = versions.find(root_, path_, with);
  conditions_ = Conditions::of(request().headers());
  if (found.siblings.any()) {
    http::add_vary(exchange().headers(), "Accept-Encoding");
    const auto sibling = choose_sibling(found.siblings, conditions_.accept_encoding);
    if (sibling && use_sibling(*sibling)) return file_ ? serve() : serve_after_hash();
    if (!found.is_open()) found = versions.find(root_, path_);
  }
  switch (found.outcome) {
    case OpenedFile::Outcome::file: break;
    case OpenedFile::Outcome::folder: serve_folder(); return {};
    case OpenedFile::Outcome::forbidden:
      throw HTTPError(403, "The path does not lead to a file beneath the folder");
    case OpenedFile::Outcome::not_found: throw HTTPError(404);
  }
  file_ = std::move(found.version);
  fd_ = std::move(found.fd);
  return file_ ? serve() : serve_after_hash();
}

// Redirects to the path with a slash, so that relative links of the default file are right. A path of two
// slashes would lead to another host (SEC-52).
void StaticFileHandler::serve_folder() {
  const std::string_view path = request().path();
  if (default_filename_.empty() || path.ends_with('/') || path.starts_with("//"))
    throw HTTPError(403, "The path leads to a folder");
  set_status(301);
  set_header("Location", fmt::format("{}/", path));
}

// False if the sibling cannot be sent.
bool StaticFileHandler::use_sibling(std::size_t index) {
  const Precompression& sibling = kPrecompressions[index];
  FileVersions::Found found =
      FileVersions::of_this_thread().find(root_, std::string(path_).append(sibling.suffix));
  if (found.outcome != OpenedFile::Outcome::file) return false;
  suffix_ = sibling.suffix;
  coding_ = sibling.coding;
  file_ = std::move(found.version);
  fd_ = std::move(found.fd);
  return true;
}

Task<> StaticFileHandler::serve_after_hash() {
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0) throw_errno("fstat");
  const FileIdentity identity = FileIdentity::of(status);
  std::string path = std::string(path_).append(suffix_);
  FileVersions& versions = FileVersions::of_this_thread();
  std::shared_ptr<const FileVersion> version =
      co_await versions.hash(root_, std::move(path), fd_.get(), identity);
  file_ = std::move(version);
  Task<> rest = serve();
  if (rest) co_await std::move(rest);
}

std::uint64_t StaticFileHandler::content_size() const noexcept {
  return file_->content ? file_->content->size() : file_->identity.size;
}
std::string_view StaticFileHandler::content_hash() const noexcept { return file_->hash; }
std::chrono::system_clock::time_point StaticFileHandler::modified_time() const noexcept {
  return file_->identity.modified_time();
}

// ---- The head.

std::optional<std::string> StaticFileHandler::compute_etag() {
  if (!file_ || file_->etag.empty()) return std::nullopt;
  return file_->etag;
}

std::string StaticFileHandler::get_content_type(const std::string& path) {
  return std::string(static_content_type(path));
}

std::chrono::seconds StaticFileHandler::get_cache_time(const std::string&) {
  return has_version_argument(request().query()) ? kTenYears : std::chrono::seconds(0);
}

bool StaticFileHandler::should_return_304() { return conditions_.is_not_modified(etag_, modified_time()); }

void StaticFileHandler::set_file_headers() {
  set_header("Accept-Ranges", "bytes");
  etag_ = compute_etag().value_or("");
  if (!etag_.empty()) set_header("ETag", etag_);
  set_header("Last-Modified", file_->last_modified);
  const std::string type = get_content_type(path_);
  if (type.empty()) {
    clear_header("Content-Type");
  } else {
    set_header("Content-Type", type);
  }
  if (!coding_.empty()) set_header("Content-Encoding", coding_);
  if (const std::chrono::seconds cache_time = get_cache_time(path_); cache_time.count() > 0) {
    set_header("Expires", http::format_date(std::chrono::system_clock::now() + cache_time));
    set_header("Cache-Control", fmt::format("max-age={}", cache_time.count()));
  }
  set_extra_headers(path_);
}

// ---- The body.

// Returns an empty task if the response is complete.
Task<> StaticFileHandler::serve() {
  set_file_headers();
  if (!conditions_.preconditions_hold(etag_, modified_time())) throw HTTPError(412);
  if (should_return_304()) {
    set_status(304);
    return {};
  }
  // Only GET has ranges (RFC 9110, 14.2).
  if (request().method() == http::Method::get) {
    if (const auto range = conditions_.valid_range(etag_, modified_time())) return send_ranges(*range);
  }
  return send_part(0, content_size());
}

Task<> StaticFileHandler::send_ranges(std::string_view range) {
  const std::uint64_t size = content_size();
  http::RangeAnswer answer = http::answer_ranges(range, size);
  switch (answer.kind) {
    case http::RangeAnswer::Kind::whole: return send_part(0, size);
    case http::RangeAnswer::Kind::unsatisfiable:
      set_status(416);
      set_header("Content-Type", "text/plain");
      // Caches need not tell the ranges of requests apart: a stored 416 could be the answer to all of them.
      for (const char* name : {"Content-Encoding", "Cache-Control", "Expires"}) clear_header(name);
      set_header("Content-Range", http::format_content_range(size));
      return {};
    case http::RangeAnswer::Kind::partial: break;
  }
  set_status(206);
  if (answer.ranges.size() == 1) {
    set_header("Content-Range", http::format_content_range(answer.ranges[0], size));
    return send_part(answer.ranges[0].begin, answer.ranges[0].size());
  }
  const std::string type(exchange().headers().find(http::HeaderId::content_type).value_or(""));
  MultipartRanges text(answer.ranges, size, type);
  set_header("Content-Type", text.content_type());
  if (!file_->content) return send_parts(std::move(text), std::move(answer.ranges));
  write_parts(text, answer.ranges);
  return {};
}

// Sends all of the body at once, except of a large file that filters change.
Task<> StaticFileHandler::send_part(std::uint64_t offset, std::uint64_t length) {
  if (!file_->content) {
    const bool has_body = request().method() != http::Method::head;
    if (has_body && exchange().filters_body(length)) return send_filtered(offset, length);
    finish_file({std::move(fd_), offset, length});
  } else if (length == file_->content->size()) {
    finish_shared(file_->content);
  } else {
    finish(std::string_view(*file_->content).substr(offset, length));
  }
  return {};
}

// To compress the whole file at once, the program would need the memory for the result, and the loop could
// serve nobody else meanwhile.
Task<> StaticFileHandler::send_filtered(std::uint64_t offset, std::uint64_t length) {
  co_await send_piece(offset, length, kFilteredBetweenTurns);
  if (!finished()) finish();
}

void StaticFileHandler::write_parts(const MultipartRanges& text, const std::vector<http::ByteRange>& ranges) {
  const std::string_view content = *file_->content;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    write(text.head(i));
    write(content.substr(ranges[i].begin, ranges[i].size()));
  }
  write(text.end());
}

Task<> StaticFileHandler::send_parts(MultipartRanges text, std::vector<http::ByteRange> ranges) {
  set_header("Content-Length", text.length());
  for (std::size_t i = 0; i < ranges.size() && !finished(); ++i) {
    write(text.head(i));
    co_await send_piece(ranges[i].begin, ranges[i].size(), kBetweenTurns);
  }
  if (!finished()) finish(text.end());
}

Task<> StaticFileHandler::send_piece(std::uint64_t offset, std::uint64_t length,
                                     std::uint64_t between_turns) {
  std::string piece;
  for (std::uint64_t sent = 0; sent < length; sent += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(length - sent, kRangePiece)));
    const ssize_t count = read_file(fd_.get(), piece, offset + sent);
    if (count <= 0) {
      log::general().error(
          "The file being sent to {} cannot be read, or has become shorter, closing connection",
          request().remote_ip());
      exchange().abort();
      co_return;
    }
    piece.resize(static_cast<std::size_t>(count));
    write(piece);
    co_await flush();
    if (sent / between_turns != (sent + piece.size()) / between_turns) co_await moment();
  }
}

}  // namespace squall::web
