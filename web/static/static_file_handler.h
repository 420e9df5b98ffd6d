#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/static/conditions.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::http {
struct ByteRange;
}  // namespace squall::http

namespace squall::web {

class MultipartRanges;
struct FileVersion;

// Serves the files of a folder. The route's one group is the path beneath it:
//
//     url<StaticFileHandler>("/static/(.*)", "/srv/shop/static")
//     url<StaticFileHandler>("/docs/(.*)", "/srv/shop/docs", "index.html")
//
// With a default file the path of a folder is redirected to the path with a slash behind it, which is
// answered with that file; otherwise it is a 403 (WEB-146). A file `x.br`, `x.zst` or `x.gz` beside the file
// `x` is sent in its place to clients that accept the coding. Conditional requests and ranges are answered,
// several ranges too.
//
// A path that leads out of the folder, also by a symbolic link, is a 403. A derived class may override the
// virtual functions below, which are called in this order, for each request.
//
// Thread:    the loop's thread only. Files of up to 256 KiB are read and hashed on it: see FileVersions.
// Errors:    HTTPError; std::system_error, which is answered with 500, if the folder cannot be opened. If a
//            file becomes shorter while it is sent, the connection is closed.
class StaticFileHandler : public RequestHandler {
 public:
  StaticFileHandler();
  ~StaticFileHandler() override;

  // `path` is the folder; a relative path begins at the working directory. Without a `default_filename`
  // folders have no page.
  void initialize(std::string path, std::string default_filename = {});
  Task<> get(std::string path);
  Task<> head(std::string path) { return get(std::move(path)); }

  // The ETag of the response, `"hash"`; nullopt: it has none. May be overridden as the functions below.
  virtual std::optional<std::string> compute_etag();

 protected:
  // The path beneath the folder for the decoded path of the URL. The result is checked as any path is.
  virtual std::string parse_url_path(std::string url_path) { return url_path; }
  // Throws HTTPError to refuse a path, which has no `.` and `..` in it any more.
  virtual void validate_path([[maybe_unused]] const std::string& path) {}
  // Whether compressed siblings of the file are sent.
  virtual bool has_precompressed([[maybe_unused]] const std::string& path) { return true; }

  // compute_etag(), and the functions from here on, may use content_size(), content_hash() and
  // modified_time().

  virtual std::string get_content_type(const std::string& path);
  // How long clients may use the response without asking again; with zero the response does not say. Ten
  // years if the URL has a `v` argument, as static_url() makes it, and zero otherwise.
  virtual std::chrono::seconds get_cache_time(const std::string& path);
  // Sets more headers, or replaces some.
  virtual void set_extra_headers([[maybe_unused]] const std::string& path) {}
  // Whether the client has the current version, by its If-None-Match or If-Modified-Since.
  virtual bool should_return_304();

  // Of the file that is sent: with a compressed sibling, of the sibling.
  std::uint64_t content_size() const noexcept;
  // SHA-512 in hexadecimal digits; empty if the file changes while it is read. See FileVersions for very
  // large files.
  std::string_view content_hash() const noexcept;
  std::chrono::system_clock::time_point modified_time() const noexcept;

 private:
  void serve_folder();
  bool use_sibling(std::size_t index);
  Task<> serve_after_hash();
  Task<> serve();
  void set_file_headers();
  Task<> send_ranges(std::string_view range);
  Task<> send_part(std::uint64_t offset, std::uint64_t length);
  Task<> send_filtered(std::uint64_t offset, std::uint64_t length);
  void write_parts(const MultipartRanges& text, const std::vector<http::ByteRange>& ranges);
  Task<> send_parts(MultipartRanges text, std::vector<http::ByteRange> ranges);
  Task<> send_piece(std::uint64_t offset, std::uint64_t length, std::uint64_t between_turns);

  std::string root_;
  std::string default_filename_;
  std::string path_;         // of the file, beneath the root
  std::string_view suffix_;  // of the compressed sibling that is sent in its place, or empty
  std::string_view coding_;  // of that sibling
  Conditions conditions_;
  std::shared_ptr<const FileVersion> file_;
  OwnedFd fd_;        // of the file, unless `file_` has its content
  std::string etag_;  // empty if the response has none
};

}  // namespace squall::web
