#include "sender.h"

#include <squall/http.h>
#include <squall/web.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "random_hex.h"

namespace squall::upload {
namespace {

// Bytes that are read and sent at once.
constexpr std::size_t kPiece = 16 * 1024;

struct File {
  std::string path;
  std::string name;  // without folders
  std::string type;
  OwnedFd descriptor;
  std::optional<std::uint64_t> size;  // nullopt for a pipe or a device
};

File open_file(const std::string& path) {
  OwnedFd descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), path);
  if (S_ISDIR(status.st_mode)) throw std::system_error(EISDIR, std::generic_category(), path);
  File file{path, path.substr(path.rfind('/') + 1), std::string(web::static_content_type(path)),
            std::move(descriptor), std::nullopt};
  if (S_ISREG(status.st_mode)) file.size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

// Reads on the loop's thread: this program has nothing else to do meanwhile.
std::size_t read_piece(const File& file, std::array<char, kPiece>& space, std::uint64_t most) {
  const std::size_t size = std::min<std::uint64_t>(space.size(), most);
  for (;;) {
    const ssize_t got = ::read(file.descriptor.get(), space.data(), size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), file.path);
  }
}

// Sends as many bytes as the file had when it was opened: that is the length in the head of the request.
Task<> send_file(http::BodyWriter& body, const File& file) {
  std::array<char, kPiece> space;
  std::uint64_t left = file.size.value_or(std::numeric_limits<std::uint64_t>::max());
  while (left > 0) {
    const std::size_t size = read_piece(file, space, left);
    if (size == 0) break;
    left -= size;
    const std::string_view piece(space.data(), size);
    co_await body.write(piece);
  }
  if (file.size && left > 0)
    throw std::runtime_error(fmt::format("{}: became shorter while it was sent", file.path));
}

// The text as the value of a part's parameter, as browsers escape it (HTML, "multipart/form-data encoding").
std::string escaped(std::string_view text) {
  std::string to;
  for (const char c : text) {
    if (c == '"') {
      to += "%22";
    } else if (c == '\r') {
      to += "%0D";
    } else if (c == '\n') {
      to += "%0A";
    } else {
      to += c;
    }
  }
  return to;
}

// A form with files as its parts, of which it stores only the heads.
struct Form {
  explicit Form(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      const File& file = files.emplace_back(open_file(path));
      heads.push_back(
          fmt::format("{}--{}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n"
                      "Content-Type: {}\r\n\r\n",
                      heads.empty() ? "" : "\r\n", boundary, escaped(file.name), file.type));
    }
  }

  // nullopt if the size of a file is not known.
  std::optional<std::uint64_t> size() const {
    std::uint64_t sum = tail.size();
    for (const std::string& head : heads) sum += head.size();
    for (const File& file : files) {
      if (!file.size) return std::nullopt;
      sum += *file.size;
    }
    return sum;
  }

  std::string boundary = random_hex();
  std::vector<File> files;
  std::vector<std::string> heads;
  std::string tail = fmt::format("\r\n--{}--\r\n", boundary);
};

Task<> send_form(http::BodyWriter& body, const Form& form) {
  for (std::size_t i = 0; i < form.files.size(); ++i) {
    co_await body.write(form.heads[i]);
    co_await send_file(body, form.files[i]);
  }
  co_await body.write(form.tail);
}

// A request without its body.
http::HTTPRequest make_request(const SenderOptions& options, std::string_view target) {
  http::HTTPRequest request(http::URL(options.url).resolve(target).text());
  request.request_timeout = std::nullopt;
  if (options.timeout > 0) request.request_timeout = std::chrono::duration<double>(options.timeout);
  // The receiver refuses what is too large before its bytes are sent.
  request.expect_100_continue = true;
  return request;
}

void set_length(http::HTTPRequest& request, std::optional<std::uint64_t> size) {
  if (size) request.headers.set("Content-Length", fmt::to_string(*size));
}

// `what` is the subject of the messages.
Task<> fetch(http::HTTPRequest request, const std::string& what) {
  const http::HTTPResponse response =
      co_await http::http_client().fetch(std::move(request), http::RaiseError::no);
  const std::string line = fmt::format("{}: {} {}", what, response.status(), response.reason());
  if (!response.ok()) throw std::runtime_error(line);
  fmt::print("{}\n", line);
}

Task<> send_all_in_a_form(const SenderOptions& options) {
  const Form form(options.files);
  http::HTTPRequest request = make_request(options, "post");
  request.method = "POST";
  request.headers.set("Content-Type", "multipart/form-data; boundary=" + form.boundary);
  set_length(request, form.size());
  request.body_producer = [&form](http::BodyWriter& body) { return send_form(body, form); };
  const std::size_t count = form.files.size();
  const std::string what = count == 1 ? options.files[0] : fmt::format("{} files", count);
  co_await fetch(std::move(request), what);
}

Task<> send_each(const SenderOptions& options) {
  for (const std::string& path : options.files) {
    const File file = open_file(path);
    http::HTTPRequest request = make_request(options, http::url_escape(file.name, http::Plus::is_plus));
    request.method = "PUT";
    request.headers.set("Content-Type", file.type);
    set_length(request, file.size);
    request.body_producer = [&file](http::BodyWriter& body) { return send_file(body, file); };
    co_await fetch(std::move(request), path);
  }
}

}  // namespace

void send(const SenderOptions& options) {
  if (options.files.empty()) throw std::runtime_error("no files to send");
  IOLoop::current().run_sync(options.put ? send_each(options) : send_all_in_a_form(options));
}

}  // namespace squall::upload
