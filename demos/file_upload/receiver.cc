#include "receiver.h"

#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "random_hex.h"

namespace squall::upload {
namespace {

// The most files of a form.
constexpr std::size_t kMaxFiles = 1000;

// The files of a request. Unless keep() is called, the destructor deletes those that are stored.
class Files {
 public:
  explicit Files(const std::string& folder) : folder_(folder) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    for (const std::string& path : paths_) ::unlink(path.c_str());
  }

  bool are_stored() const noexcept { return !folder_.empty(); }
  // The path of the next file. The client has no part in it: its names may be `../x`, or another file's.
  std::string new_path() { return paths_.emplace_back(folder_ + "/" + random_hex()); }
  // The next file has arrived.
  void add(std::string_view name, std::string_view type, std::uint64_t size) {
    std::string& line = lines_.emplace_back(fmt::format("\"{}\" \"{}\" {} bytes", name, type, size));
    if (are_stored()) line += ", stored as " + paths_.back().substr(folder_.size() + 1);
  }
  // The request has arrived.
  void keep(std::string_view method) {
    for (const std::string& line : lines_) log::application().info("{} {}", method, line);
    paths_.clear();
  }

 private:
  const std::string& folder_;
  std::vector<std::string> paths_;
  std::vector<std::string> lines_;
};

// One file, as the body of the request.
class PutHandler : public web::RequestHandler {
 public:
  static constexpr bool stream_request_body = true;

  void initialize(const ReceiverOptions& options) { options_ = &options; }
  void prepare() { set_max_body_size(options_->max_size); }

  Task<> put(std::string name) {
    const auto type = request().headers().find("Content-Type").value_or("application/octet-stream");
    Files files(options_->folder);
    std::uint64_t size = 0;
    if (files.are_stored()) {
      size = co_await save_body_to(files.new_path());
    } else {
      for (;;) {
        const std::string_view piece = co_await read_body();
        if (piece.empty()) break;
        size += piece.size();
      }
    }
    files.add(name, type, size);
    files.keep("PUT");
    write("OK");
  }

 protected:
  const ReceiverOptions* options_ = nullptr;
};

// Files as the parts of a form. The class has PUT too, for a file that is called `post`.
class PostHandler : public PutHandler {
 public:
  Task<> post() {
    // A page of another site may send forms to any address. Programs do not name an origin.
    if (request().headers().contains("Origin")) throw web::HTTPError(403);
    web::MultipartReader reader(*this);
    Files files(options_->folder);
    for (;;) {
      const http::MultipartPart* const part = co_await reader.next_part();
      if (!part) break;
      if (!part->is_file()) continue;
      std::uint64_t size = 0;
      if (files.are_stored()) {
        size = co_await reader.save_to(files.new_path());
      } else {
        for (;;) {
          const std::string_view piece = co_await reader.read();
          if (piece.empty()) break;
          size += piece.size();
        }
      }
      files.add(part->filename, part->content_type, size);
    }
    files.keep("POST");
    write("OK");
  }
};

}  // namespace

void receive(const ReceiverOptions& options) {
  if (!options.folder.empty() && !std::filesystem::is_directory(options.folder))
    throw std::system_error(std::make_error_code(std::errc::not_a_directory), options.folder);
  IOLoop loop;
  web::Settings settings;
  settings.multipart.max_parts = kMaxFiles + 1;  // the empty piece before the first boundary counts
  web::Application app({web::url<PostHandler>("/(post)", std::cref(options)),
                        web::url<PutHandler>("/(.+)", std::cref(options))},
                       settings);
  http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, std::chrono::seconds(5)));
  loop.start();
}

}  // namespace squall::upload
